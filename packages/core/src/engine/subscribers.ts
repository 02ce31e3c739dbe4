// The subscribers of a socket. A reader receives all events, or the bytes only; a watcher receives the events of one type.
// A socket reads for readers only.
import type { SchedulerLike, Subscriber, Subscription } from 'rxjs';
import type { Endpoints } from '../base/endpoint.js';
import type { CloseEvent, ConnectEvent, DataEvent, SocketEvent } from '../base/events.js';
import { FlowLink, FlowSubscriber } from '../flow/flow-subscriber.js';
import { type Entries, NO_ENTRIES, onlyOne, sizeOf, withEntry, withoutEntry } from './entries.js';
import type { ReceiveQueue } from './receive-queue.js';
import { SubscriberEntry, type SubscriberOwner, type SubscriptionType, type Watcher } from './subscriber-entry.js';

/** Events that later subscribers receive too, beside `connect`. */
const REPLAYED: ReadonlySet<SocketEvent['type']> = new Set(['secureConnect', 'end', 'finish']);

/** The last event, and what the connection failed with. */
interface Last {
  readonly event: CloseEvent;
  readonly error: unknown;
}

export class Subscribers {
  #readers: Entries<SubscriberEntry> = NO_ENTRIES;
  #watchers: Entries<Watcher> = NO_ENTRIES;
  // A subscriber may come or leave during a notification. So entries that a loop has had are copied at the next change.
  #readersLooped = false;
  #watchersLooped = false;
  /** Both ends, when the connection is open. The `connect` event is made from them when somebody asks for it. */
  #connected: Endpoints | undefined;
  #replayed: SocketEvent[] | undefined;
  #last: Last | undefined;
  /** After the close: the bytes that nobody has read, for the next reader. */
  #rest: ReceiveQueue | undefined;
  /** Whether a reader is receiving them. It may still give bytes back. */
  #deliveringRest = false;
  readonly #owner: SubscriberOwner;
  readonly #scheduler: SchedulerLike;

  constructor(owner: SubscriberOwner, scheduler: SchedulerLike) {
    this.#owner = owner;
    this.#scheduler = scheduler;
  }

  /** Whether there is a reader. One that is unsubscribing right now does not count. */
  get hasReader(): boolean {
    for (const { subscriber } of this.#readers) if (!subscriber.closed) return true;
    return false;
  }

  /** The only reader, if it can be lent its bytes. */
  get borrower(): FlowSubscriber<unknown> | undefined {
    const subscriber = onlyOne(this.#readers)?.subscriber;
    if (!(subscriber instanceof FlowSubscriber)) return undefined;
    return subscriber.keepRest && !subscriber.closed ? subscriber : undefined;
  }

  /** Whether a reader has not yet received the stream up to `position`. */
  hasReaderBefore(position: number): boolean {
    for (const reader of this.#readers) if (!reader.subscriber.closed && !reader.hasReceived(position)) return true;
    return false;
  }

  /** Whether bytes wait for the next reader after the close: `end` comes after them. */
  get #restWaits(): boolean {
    return this.#deliveringRest || (this.#rest !== undefined && this.#rest.bytes > 0);
  }

  get size(): number {
    return sizeOf(this.#readers) + sizeOf(this.#watchers);
  }

  /** Adds a reader, or a watcher of one type. */
  add(subscriber: Subscriber<never>, type: SubscriptionType): SubscriberEntry {
    const entry = new SubscriberEntry(this.#owner, subscriber, type);
    // The socket that a FlowLink subscribes to first: it may give bytes back, also when it has left.
    if (subscriber instanceof FlowLink) subscriber.place ??= entry;
    if (this.#connected && entry.wants('connect')) entry.notify(connectEvent(this.#connected));
    if (this.#replayed)
      for (const event of this.#replayed)
        if (event.type !== 'end' || type === 'end' || !this.#restWaits) entry.notify(event);
    if (!entry.reads) subscriber.add(this.watch(entry));
    else if (!this.#last) this.#addReader(entry);
    else subscriber.add(this.#closeNextTurn(entry, this.#last, () => this.#deliverRest(entry)));
    return entry;
  }

  /** Adds a watcher. Returns what cancels the notification of a connection that has closed already. */
  watch(watcher: Watcher): Subscription | undefined {
    if (this.#last) return this.#closeNextTurn(watcher, this.#last);
    this.#watchers = withEntry(this.#watchers, watcher, this.#watchersLooped);
    this.#watchersLooped = false;
    return undefined;
  }

  #addReader(entry: SubscriberEntry): void {
    this.#readers = withEntry(this.#readers, entry, this.#readersLooped);
    this.#readersLooped = false;
  }

  // In the next turn, so that a `retry` of a closed socket does not loop in this one.
  #closeNextTurn(watcher: Watcher, { event, error }: Last, before?: () => void): Subscription {
    return this.#scheduler.schedule(() => {
      before?.();
      watcher.closed(event, error);
    });
  }

  remove(entry: SubscriberEntry): void {
    if (!entry.reads) return this.unwatch(entry);
    this.#readers = withoutEntry(this.#readers, entry, this.#readersLooped);
    this.#readersLooped = false;
  }

  unwatch(watcher: Watcher): void {
    this.#watchers = withoutEntry(this.#watchers, watcher, this.#watchersLooped);
    this.#watchersLooped = false;
  }

  /** The present readers, to loop over them. Not a getter, because those of private names are slow. */
  #presentReaders(): Entries<SubscriberEntry> {
    this.#readersLooped = true;
    return this.#readers;
  }

  #presentWatchers(): Entries<Watcher> {
    this.#watchersLooped = true;
    return this.#watchers;
  }

  /** Bytes have left. */
  progressed(): void {
    for (const watcher of this.#presentWatchers()) watcher.progressed();
  }

  /** The write side has broken. */
  writeBroken(error: unknown): void {
    for (const watcher of this.#presentWatchers()) watcher.broken(error);
  }

  /** The connection is open: emits `connect`, also to later subscribers. */
  connected(endpoints: Endpoints): void {
    this.#connected = endpoints;
    if (this.size > 0) this.emit(connectEvent(endpoints));
  }

  /** Emits an event: to the watchers of its type, then to the readers. */
  emit(event: Exclude<SocketEvent, DataEvent | CloseEvent>): void {
    if (REPLAYED.has(event.type)) this.#replay(event);
    const readers = this.#presentReaders();
    for (const watcher of this.#presentWatchers()) watcher.notify(event);
    for (const entry of readers) entry.notify(event);
  }

  // A list of one event would reserve places for sixteen more.
  #replay(event: SocketEvent): void {
    this.#replayed = this.#replayed ? [...this.#replayed, event] : [event];
  }

  /** Stops replaying `end`: bytes were given back, and the end comes again after them. */
  retractEnd(): void {
    if (!this.#last) this.#replayed = this.#replayed?.filter(({ type }) => type !== 'end');
  }

  /** Records that a subscriber gives bytes back. Returns the position in the stream where these bytes end. */
  noteUnread(by: Subscriber<unknown>, bytes: number): number | undefined {
    const place = by instanceof FlowLink ? by.place : undefined;
    const isOurs = place instanceof SubscriberEntry && place.owner === this.#owner;
    return isOurs ? place.noteUnread(bytes) : undefined;
  }

  /** Delivers a chunk to each reader, without the part that the reader has received already. */
  deliver(data: Buffer, offset: number): void {
    for (const reader of this.#presentReaders()) if (!reader.subscriber.closed) reader.deliver(data, offset);
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
    if (ended && !this.#replayed?.some(({ type }) => type === 'end')) this.#replay({ type: 'end' });
    const readers = this.#readers;
    const watchers = this.#watchers;
    this.#watchers = NO_ENTRIES;
    this.#readers = NO_ENTRIES;
    for (const watcher of watchers) watcher.closed(event, error);
    for (const entry of readers) entry.closed(event, error);
  }

  // A reader that leaves takes what it has received, without what it gives back. The next one continues there.
  #deliverRest(entry: SubscriberEntry): void {
    const { subscriber } = entry;
    const rest = this.#rest;
    this.#deliveringRest = true;
    while (rest && rest.bytes > 0 && !subscriber.closed) {
      entry.notify({ type: 'data', data: rest.shift() });
    }
    this.#deliveringRest = false;
    if (subscriber.closed || !this.#replayed) return;
    for (const event of this.#replayed) if (event.type === 'end') entry.notify(event);
  }
}

function connectEvent({ local, remote }: Endpoints): ConnectEvent {
  return { type: 'connect', local, remote };
}
