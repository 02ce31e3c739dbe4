// The read side of a connection: what was received, and its delivery to the subscribers.
//
//   flowing ──peer's FIN──▶ ended ──all delivered──▶ delivered          flowing ──failure──▶ cut
//
// Bytes wait while nobody reads or somebody holds. `dropping` never becomes false again: from then on everything that
// arrives is dropped, and the end is not emitted.
import type { SchedulerLike, Subscriber, Subscription } from 'rxjs';
import type { Holds } from '../flow/holds.js';
import type { BudgetShare } from './budget-share.js';
import { ReceiveQueue } from './receive-queue.js';
import type { Subscribers } from './subscribers.js';

/** What a read side reports to its connection. */
export interface ReadSideHandlers {
  /** The peer's FIN was delivered. */
  endDelivered(): void;
  /** A turn has passed: more may be deliverable now. */
  turned(): void;
  /** Whether what no reader takes is dropped. A subscriber may close the connection during a delivery. */
  readonly closing: boolean;
}

export class ReadSide {
  state: 'flowing' | 'ended' | 'delivered' | 'cut' = 'flowing';
  dropping = false;
  /** Whether the peer's FIN was delivered. Bytes that are given back after it do not change that. */
  endWasDelivered = false;
  /** `undefined` without a memory budget. */
  share: BudgetShare | undefined;
  readonly #subscribers: Subscribers;
  readonly #holds: Holds;
  readonly #scheduler: SchedulerLike;
  readonly #handlers: ReadSideHandlers;
  readonly #queue = new ReceiveQueue();
  /** The chunk that the readers receive now, one after the other, and its position in the stream. */
  #delivering: Buffer | undefined;
  #deliveringAt = 0;
  #passing: Subscription | undefined;

  constructor(subscribers: Subscribers, holds: Holds, scheduler: SchedulerLike, handlers: ReadSideHandlers) {
    this.#subscribers = subscribers;
    this.#holds = holds;
    this.#scheduler = scheduler;
    this.#handlers = handlers;
  }

  /** How many received bytes wait to be delivered. */
  get bytes(): number {
    return this.#queue.bytes;
  }

  /** Whether the peer's FIN came: nothing more will be received. */
  get hasEnded(): boolean {
    return this.state === 'ended' || this.state === 'delivered';
  }

  /** Whether bytes or the peer's FIN wait to be delivered. */
  get hasUndelivered(): boolean {
    return !this.dropping && (this.#queue.bytes > 0 || this.state === 'ended');
  }

  /** Whether the socket may read ahead. One chunk is always read, so that a FIN or a reset is noticed. */
  hasRoom(highWaterMark: number): boolean {
    const { bytes } = this.#queue;
    const hasRoom = this.state === 'flowing' && (bytes === 0 || bytes < highWaterMark);
    return this.share === undefined ? hasRoom : this.#isInBudget(hasRoom);
  }

  #isInBudget(hasRoom: boolean): boolean {
    const isTaken = this.dropping || (this.#subscribers.hasReader && !this.#holds.held);
    return this.share?.mayRead(hasRoom && !isTaken) === true && hasRoom;
  }

  /** The chunks that wait to be delivered. */
  get waiting(): Iterable<Uint8Array> {
    return this.#queue.chunks;
  }

  receive(chunk: Buffer): void {
    if (!this.dropping) this.#queue.push(chunk);
  }

  /** Whether bytes that arrive now go to a single reader that uses them up at once. */
  get borrows(): boolean {
    return this.#queue.bytes === 0 && !this.#holds.held && !this.dropping && this.#subscribers.borrower !== undefined;
  }

  /** After the delivery of a chunk that has just come: if it waits, it must not keep more memory than its own. */
  keep(chunk: Buffer): void {
    this.#queue.keep(chunk);
  }

  /** A chunk was lent, and its time is over: copies what waits of it. */
  copyWaiting(lent: Buffer): void {
    this.#queue.copy(lent);
  }

  /** The peer's FIN came. */
  end(): void {
    if (this.state === 'flowing') this.state = 'ended';
  }

  /** The stream failed before the peer's FIN. */
  cut(): void {
    if (this.state === 'flowing') this.state = 'cut';
  }

  /** Drops what waits, and everything that still arrives. */
  drop(): void {
    this.dropping = true;
    this.clear();
  }

  clear(): void {
    this.#passing?.unsubscribe();
    this.#queue.clear();
  }

  /** Removes and returns the bytes that wait to be delivered. */
  take(): Buffer {
    const chunks: Buffer[] = [];
    while (this.#queue.bytes > 0) chunks.push(this.#queue.shift());
    return Buffer.concat(chunks);
  }

  /**
   * Takes bytes back, also after the close. They are delivered again, before the end, to subscribers that have not
   * received them.
   * @param by The subscriber that received them. Bytes that another subscriber has given back are not queued twice.
   */
  unread(bytes: Uint8Array, by?: Subscriber<unknown>): void {
    if (this.dropping) return;
    const end = by && this.#subscribers.noteUnread(by, bytes.length);
    if (end !== undefined) this.#unreadDelivering(end);
    const queued = end === undefined ? 0 : Math.max(0, end - this.#queue.offset);
    if (bytes.length <= queued) return;
    this.#queue.unread(bytes.subarray(0, bytes.length - queued));
    if (this.state !== 'delivered') return;
    this.state = 'ended';
    this.#subscribers.retractEnd();
  }

  // A reader may leave while another one receives a chunk that it has not received. The chunk comes back behind its bytes.
  #unreadDelivering(end: number): void {
    const { offset } = this.#queue;
    const start = this.#deliveringAt;
    if (!this.#delivering || end < start || end >= offset) return;
    this.#queue.unread(this.#delivering.subarray(end - start, offset - start));
  }

  /** Delivers what can be delivered. */
  deliver(): void {
    while (this.#deliverNext());
    this.#charge();
  }

  /** Reports to the memory budget what this side keeps. */
  #charge(): void {
    this.share?.setReceived(this.#queue.bytes);
  }

  /** Delivers the next chunk or the end. Returns whether there may be more. */
  #deliverNext(): boolean {
    const { closing } = this.#handlers;
    const { bytes, offset, nextLength } = this.#queue;
    const { held } = this.#holds;
    const { hasReader } = this.#subscribers;
    const canDeliver = hasReader && !held;
    // A reader that only waits for the next turn will take the rest.
    const waits = closing && held && hasReader && this.#holds.endsNextTurn;
    if (closing && !canDeliver && !waits && (bytes > 0 || held)) this.drop();
    if (this.dropping) return false;
    if (bytes > 0) {
      if (!canDeliver) return false;
      if (!this.#subscribers.hasReaderBefore(offset + nextLength)) return this.#pass();
      const chunk = this.#queue.shift();
      this.#charge();
      this.#delivering = chunk;
      this.#deliveringAt = offset;
      this.#subscribers.deliver(chunk, offset);
      this.#delivering = undefined;
      return true;
    }
    if (this.state !== 'ended' || held) return false;
    this.state = 'delivered';
    this.endWasDelivered = true;
    this.#subscribers.emit({ type: 'end' });
    this.#handlers.endDelivered();
    return true;
  }

  // The bytes were given back, and all present readers have received them. Another reader may come within this turn.
  // After it the readers that stay go on, and the bytes are passed over. Without any reader they wait.
  #pass(): false {
    this.#passing ??= this.#scheduler.schedule(() => {
      this.#passing = undefined;
      const { bytes, offset, nextLength } = this.#queue;
      const { hasReader } = this.#subscribers;
      if (bytes > 0 && hasReader && !this.#subscribers.hasReaderBefore(offset + nextLength)) this.#queue.shift();
      this.#handlers.turned();
    });
    return false;
  }

  /** The connection has closed. Returns the queue of the bytes that nobody has read, for later readers. */
  close(): ReceiveQueue {
    this.#passing?.unsubscribe();
    if (this.dropping) this.#queue.clear();
    return this.#queue;
  }
}
