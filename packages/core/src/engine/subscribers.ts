// The subscribers of a socket. A reader receives all events, a watcher those of one type. A socket reads for readers
// only.
import type { SchedulerLike, Subscriber } from 'rxjs';
import { AsyncContext } from '../base/async-context.js';
import type { CloseEvent, DataEvent, SocketEvent } from '../base/events.js';
import { guarded } from '../base/guarded.js';
import type { ReceiveQueue } from './receive-queue.js';

/** Events that later subscribers receive too. */
const REPLAYED: ReadonlySet<SocketEvent['type']> = new Set(['connect', 'secureConnect', 'end', 'finish']);

interface SubscriberEntry {
  readonly subscriber: Subscriber<SocketEvent>;
  /** The context in which it subscribed. It is notified in this context. */
  readonly context: AsyncContext;
  /** The type that a watcher watches; `undefined` for a reader. */
  readonly type: SocketEvent['type'] | undefined;
  /** The position in the stream up to which this reader has received the bytes. */
  position: number;
  /** How many of these bytes it has given back. */
  unread: number;
  /** Whether it has received `end`. */
  ended: boolean;
}

export class Subscribers {
  // Replaced at every change: a subscriber that comes or leaves during a notification does not disturb the loop.
  #readers: readonly SubscriberEntry[] = [];
  #watchers: readonly SubscriberEntry[] = [];
  /** Includes subscribers that have left: they may still give bytes back. */
  readonly #entries = new WeakMap<Subscriber<unknown>, SubscriberEntry>();
  #replayed: SocketEvent[] = [];
  #last: { readonly event: CloseEvent; readonly error: unknown } | undefined;
  /** After the close: the bytes that nobody has read, for the next reader. */
  #rest: ReceiveQueue | undefined;
  /** Whether a reader is receiving them. It may still give bytes back. */
  #deliveringRest = false;
  readonly #scheduler: SchedulerLike;

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  /** Whether there is a reader. One that is unsubscribing right now does not count. */
  get hasReader(): boolean {
    return this.#readers.some(({ subscriber }) => !subscriber.closed);
  }

  /** Whether a reader has not yet received the stream up to `position`. */
  hasReaderBefore(position: number): boolean {
    return this.#readers.some((reader) => !reader.subscriber.closed && reader.position < position);
  }

  /** Whether bytes wait for the next reader after the close: `end` comes after them. */
  get #restWaits(): boolean {
    return this.#deliveringRest || (this.#rest !== undefined && this.#rest.bytes > 0);
  }

  get size(): number {
    return this.#readers.length + this.#watchers.length;
  }

  /** Adds a reader, or a watcher of one type. The returned function removes it. */
  add(subscriber: Subscriber<SocketEvent>, type?: SocketEvent['type']): () => void {
    const context = new AsyncContext();
    const position = Number.NEGATIVE_INFINITY;
    const entry: SubscriberEntry = { subscriber, context, type, position, unread: 0, ended: false };
    const reads = type === undefined || type === 'data';
    this.#entries.set(subscriber, entry);
    for (const event of this.#replayed)
      if (event.type !== 'end' || type === 'end' || !this.#restWaits) notify(entry, event);
    if (this.#last) {
      const { event, error } = this.#last;
      // In the next turn, so that a `retry` of a closed socket does not loop in this one.
      const turn = this.#scheduler.schedule(() => {
        if (reads) this.#deliverRest(entry);
        finish(entry, event, error);
      });
      return () => turn.unsubscribe();
    }
    if (reads) this.#readers = this.#readers.concat(entry);
    else this.#watchers = this.#watchers.concat(entry);
    return () => {
      if (reads) this.#readers = this.#readers.filter((other) => other !== entry);
      else this.#watchers = this.#watchers.filter((other) => other !== entry);
    };
  }

  /** Emits an event: to the watchers of its type, then to the readers. */
  emit(event: Exclude<SocketEvent, DataEvent | CloseEvent>): void {
    if (REPLAYED.has(event.type)) this.#replayed.push(event);
    for (const entry of [...this.#watchers, ...this.#readers]) notify(entry, event);
  }

  /** Stops replaying `end`: bytes were given back, and the end comes again after them. */
  retractEnd(): void {
    if (!this.#last) this.#replayed = this.#replayed.filter(({ type }) => type !== 'end');
  }

  /** Records that a subscriber gives bytes back. Returns the position in the stream where these bytes end. */
  noteUnread(by: Subscriber<unknown>, bytes: number): number | undefined {
    const entry = this.#entries.get(by);
    if (!entry) return undefined;
    const end = entry.position - entry.unread;
    entry.unread += bytes;
    return end;
  }

  /** Delivers a chunk to each reader, without the part that the reader has received already. */
  deliver(data: Buffer, offset: number): void {
    const event: DataEvent = { type: 'data', data };
    const end = offset + data.length;
    for (const reader of this.#readers) {
      if (reader.subscriber.closed || reader.position >= end) continue;
      const received = reader.position - offset;
      reader.position = end;
      next(reader, received > 0 ? { type: 'data', data: data.subarray(received) } : event);
    }
  }

  /**
   * Emits the last event and ends all subscriptions: the present ones now, later ones in the turn after they come.
   * @param rest Bytes that nobody has read, and that are given back later. The next reader receives them first.
   * @param ended Whether `end` follows these bytes.
   */
  close(event: CloseEvent, error: unknown, rest: ReceiveQueue, ended: boolean): void {
    this.#last = { event, error };
    this.#rest = rest;
    // Everybody has left before the end: later readers receive it after the rest.
    if (ended && !this.#replayed.some(({ type }) => type === 'end')) this.#replayed.push({ type: 'end' });
    const entries = [...this.#watchers, ...this.#readers];
    this.#watchers = [];
    this.#readers = [];
    for (const entry of entries) finish(entry, event, error);
  }

  // A reader that leaves takes what it has received, without what it gives back. The next one continues there.
  #deliverRest(entry: SubscriberEntry): void {
    const { subscriber } = entry;
    const rest = this.#rest;
    this.#deliveringRest = true;
    while (rest && rest.bytes > 0 && !subscriber.closed) {
      notify(entry, { type: 'data', data: rest.shift() });
    }
    this.#deliveringRest = false;
    if (subscriber.closed) return;
    for (const event of this.#replayed) if (event.type === 'end') notify(entry, event);
  }
}

function notify(entry: SubscriberEntry, event: SocketEvent): void {
  if (event.type === 'end') {
    if (entry.ended) return;
    entry.ended = true;
  }
  if (entry.type === undefined || entry.type === event.type) next(entry, event);
}

function next({ context, subscriber }: SubscriberEntry, event: SocketEvent): void {
  context.runInAsyncScope(guardedNext, undefined, subscriber, event);
}

// Not a closure of `next`: an event would then need two.
function guardedNext(subscriber: Subscriber<SocketEvent>, event: SocketEvent): void {
  guarded(() => subscriber.next(event));
}

function finish(entry: SubscriberEntry, event: CloseEvent, error: unknown): void {
  const { context, subscriber } = entry;
  notify(entry, event);
  context.runInAsyncScope(() => guarded(() => (error === undefined ? subscriber.complete() : subscriber.error(error))));
}
