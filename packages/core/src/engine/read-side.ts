// The read side: what has come in, and who is given it.
//
//   flowing ──peer's FIN──▶ ended ──all delivered──▶ told          flowing ──failure──▶ cut
//
// While nobody reads, or somebody holds, it waits. `dropping` is never taken back: from then on all that comes is lost, and
// the end is told to nobody.
import type { SchedulerLike, Subscriber, Subscription } from 'rxjs';
import type { Holds } from '../flow/flow.js';
import { ReceiveQueue } from './receive-queue.js';
import type { Subscribers } from './subscribers.js';

/** What an intake tells its connection. */
export interface ReadSideHandlers {
  /** The peer's end was delivered. */
  told(): void;
  /** A turn has passed, and there may be more to deliver. */
  turned(): void;
}

export class ReadSide {
  state: 'flowing' | 'ended' | 'told' | 'cut' = 'flowing';
  dropping = false;
  readonly #subscribers: Subscribers;
  readonly #flow: Holds;
  readonly #scheduler: SchedulerLike;
  readonly #handlers: ReadSideHandlers;
  readonly #queue = new ReceiveQueue();
  #passing: Subscription | undefined;

  constructor(audience: Subscribers, flow: Holds, scheduler: SchedulerLike, handlers: ReadSideHandlers) {
    this.#subscribers = audience;
    this.#flow = flow;
    this.#scheduler = scheduler;
    this.#handlers = handlers;
  }

  /** Bytes that wait to be delivered. */
  get bytes(): number {
    return this.#queue.bytes;
  }

  /** Whether nothing more will come of it. */
  get done(): boolean {
    return this.state === 'told' || (this.state === 'ended' && this.dropping);
  }

  /** Whether something is still to be delivered. */
  get hasUndelivered(): boolean {
    return !this.dropping && (this.#queue.bytes > 0 || this.state === 'ended');
  }

  /** Whether there is room to read ahead. One chunk is always taken, so that an end is noticed. */
  hasRoom(highWaterMark: number): boolean {
    const { bytes } = this.#queue;
    return this.state === 'flowing' && (bytes === 0 || bytes < highWaterMark);
  }

  receive(chunk: Buffer): void {
    if (!this.dropping) this.#queue.push(chunk);
  }

  /** The peer's FIN came. */
  end(): void {
    if (this.state === 'flowing') this.state = 'ended';
  }

  /** Nothing more comes, and it was not the end. */
  cut(): void {
    if (this.state === 'flowing') this.state = 'cut';
  }

  drop(): void {
    this.dropping = true;
    this.clear();
  }

  clear(): void {
    this.#passing?.unsubscribe();
    this.#queue.clear();
  }

  /**
   * Gives bytes back: they come again, to those who have not seen them, and before the end.
   * @param by The reader who got them. What another one has given back before is there already.
   */
  unread(bytes: Uint8Array, by?: Subscriber<unknown>): void {
    const end = by && this.#subscribers.noteUnread(by, bytes.length);
    const there = end === undefined ? 0 : Math.max(0, end - this.#queue.offset);
    if (bytes.length <= there || this.dropping) return;
    this.#queue.unread(bytes.subarray(0, bytes.length - there));
    if (this.state !== 'told') return;
    this.state = 'ended';
    this.#subscribers.retractEnd();
  }

  /** @param parting Whether what nobody takes now is dropped. */
  deliver(parting: boolean): void {
    while (this.#deliverNext(parting));
  }

  /** Delivers the next thing there is; answers whether there may be more. */
  #deliverNext(parting: boolean): boolean {
    const { bytes, offset, next } = this.#queue;
    const { held } = this.#flow;
    const taken = this.#subscribers.hasReader && !held;
    if (parting && !taken && (bytes > 0 || held)) this.drop();
    if (this.dropping) return false;
    if (bytes > 0) {
      if (!taken) return false;
      if (!this.#subscribers.hasReaderBefore(offset + next)) return this.#pass();
      this.#subscribers.deliver(this.#queue.shift(), offset);
      return true;
    }
    if (this.state !== 'ended' || held) return false;
    this.state = 'told';
    this.#subscribers.emit({ type: 'end' });
    this.#handlers.told();
    return true;
  }

  // Bytes were given back, and all who read have seen them. By the next turn a reader may have come for them.
  #pass(): false {
    this.#passing ??= this.#scheduler.schedule(() => {
      this.#passing = undefined;
      const { bytes, offset, next } = this.#queue;
      if (bytes > 0 && !this.#subscribers.hasReaderBefore(offset + next)) this.#queue.shift();
      this.#handlers.turned();
    });
    return false;
  }
}
