// Who is subscribed to a socket. Readers get every event, watchers those they asked for; a socket reads for readers only.
import type { SchedulerLike, Subscriber } from 'rxjs';
import type { CloseEvent, DataEvent, SocketEvent } from '../base/events.js';
import { guarded } from '../base/guarded.js';

/** What a later subscriber is told as well. */
const REPLAYED: ReadonlySet<SocketEvent['type']> = new Set(['connect', 'secureConnect', 'end', 'finish']);

interface SubscriberEntry {
  readonly subscriber: Subscriber<SocketEvent>;
  readonly type: SocketEvent['type'] | undefined;
  /** How far into the stream this reader has been served. */
  position: number;
  /** How many of those bytes it has given back. */
  returned: number;
  /** Whether it was told the end. */
  ended: boolean;
}

export class Subscribers {
  // Copied on change: who leaves or comes during a notification does not disturb it.
  #readers: readonly SubscriberEntry[] = [];
  #watchers: readonly SubscriberEntry[] = [];
  /** Also those who have left: they may still give back. */
  readonly #members = new WeakMap<Subscriber<unknown>, SubscriberEntry>();
  #replayed: SocketEvent[] = [];
  #last: { readonly event: CloseEvent; readonly error: unknown } | undefined;
  readonly #scheduler: SchedulerLike;

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  /** Whether anybody reads. Who is just unsubscribing does not count. */
  get hasReader(): boolean {
    return this.#readers.some(({ subscriber }) => !subscriber.closed);
  }

  /** Whether somebody reads who has not yet seen the stream up to `end`. */
  hasReaderBefore(end: number): boolean {
    return this.#readers.some(({ subscriber, position }) => !subscriber.closed && position < end);
  }

  get size(): number {
    return this.#readers.length + this.#watchers.length;
  }

  /** Adds a reader, or a watcher of one type; the returned function takes it out again. */
  add(subscriber: Subscriber<SocketEvent>, type?: SocketEvent['type']): () => void {
    const member: SubscriberEntry = { subscriber, type, position: Number.NEGATIVE_INFINITY, returned: 0, ended: false };
    this.#members.set(subscriber, member);
    for (const event of this.#replayed) notify(member, event);
    if (this.#last) {
      const { event, error } = this.#last;
      // On the next turn, so that a retry of a dead socket does not spin.
      const turn = this.#scheduler.schedule(() => finish(member, event, error));
      return () => turn.unsubscribe();
    }
    const reader = type === undefined || type === 'data';
    if (reader) this.#readers = [...this.#readers, member];
    else this.#watchers = [...this.#watchers, member];
    return () => {
      if (reader) this.#readers = this.#readers.filter((other) => other !== member);
      else this.#watchers = this.#watchers.filter((other) => other !== member);
    };
  }

  /** Tells an event to all who want it. */
  emit(event: Exclude<SocketEvent, DataEvent | CloseEvent>): void {
    if (REPLAYED.has(event.type)) this.#replayed.push(event);
    for (const member of [...this.#watchers, ...this.#readers]) notify(member, event);
  }

  /** The end is not told to those who come now: bytes were given back, and it is yet to come, after them. */
  retractEnd(): void {
    this.#replayed = this.#replayed.filter(({ type }) => type !== 'end');
  }

  /** Notes that a reader gives bytes back; answers where in the stream they end. */
  noteUnread(by: Subscriber<unknown>, bytes: number): number | undefined {
    const member = this.#members.get(by);
    if (!member) return undefined;
    const end = member.position - member.returned;
    member.returned += bytes;
    return end;
  }

  /** Gives a chunk that begins at `offset` of the stream to each reader, less what it has already seen. */
  deliver(data: Buffer, offset: number): void {
    const event: DataEvent = { type: 'data', data };
    const end = offset + data.length;
    for (const reader of this.#readers) {
      if (reader.subscriber.closed || reader.position >= end) continue;
      const seen = reader.position - offset;
      reader.position = end;
      guarded(() => reader.subscriber.next(seen > 0 ? { type: 'data', data: data.subarray(seen) } : event));
    }
  }

  /** The last event, and then the end of all subscriptions: now and for those who come later. */
  close(event: CloseEvent, error: unknown): void {
    this.#last = { event, error };
    const members = [...this.#watchers, ...this.#readers];
    this.#watchers = [];
    this.#readers = [];
    for (const member of members) finish(member, event, error);
  }
}

function notify(member: SubscriberEntry, event: SocketEvent): void {
  if (event.type === 'end') {
    if (member.ended) return;
    member.ended = true;
  }
  if (member.type === undefined || member.type === event.type) guarded(() => member.subscriber.next(event));
}

function finish(member: SubscriberEntry, event: CloseEvent, error: unknown): void {
  notify(member, event);
  guarded(() => (error === undefined ? member.subscriber.complete() : member.subscriber.error(error)));
}
