// The read side: what has come in, and who is given it.
//
//   flowing ──peer's FIN──▶ ended ──all delivered──▶ told          flowing ──failure──▶ cut
//
// While nobody reads, or somebody holds, it waits. `dropping` is never taken back: from then on all that comes is lost, and
// the end is told to nobody.
import type { SchedulerLike, Subscriber, Subscription } from 'rxjs';
import type { Holds } from '../flow.js';
import type { Audience } from './audience.js';
import { Inbox } from './inbox.js';

/** What an intake tells its connection. */
export interface IntakeHandlers {
  /** The peer's end was delivered. */
  told(): void;
  /** A turn has passed, and there may be more to deliver. */
  turned(): void;
}

export class Intake {
  state: 'flowing' | 'ended' | 'told' | 'cut' = 'flowing';
  dropping = false;
  readonly #audience: Audience;
  readonly #flow: Holds;
  readonly #scheduler: SchedulerLike;
  readonly #handlers: IntakeHandlers;
  readonly #inbox = new Inbox();
  #passing: Subscription | undefined;

  constructor(audience: Audience, flow: Holds, scheduler: SchedulerLike, handlers: IntakeHandlers) {
    this.#audience = audience;
    this.#flow = flow;
    this.#scheduler = scheduler;
    this.#handlers = handlers;
  }

  /** Bytes that wait to be delivered. */
  get bytes(): number {
    return this.#inbox.bytes;
  }

  /** Whether nothing more will come of it. */
  get done(): boolean {
    return this.state === 'told' || (this.state === 'ended' && this.dropping);
  }

  /** Whether something is still to be delivered. */
  get waits(): boolean {
    return !this.dropping && (this.#inbox.bytes > 0 || this.state === 'ended');
  }

  /** Whether there is room to read ahead. One chunk is always taken, so that an end is noticed. */
  hasRoom(highWaterMark: number): boolean {
    const { bytes } = this.#inbox;
    return this.state === 'flowing' && (bytes === 0 || bytes < highWaterMark);
  }

  take(chunk: Buffer): void {
    if (!this.dropping) this.#inbox.push(chunk);
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
    this.#inbox.clear();
  }

  /**
   * Gives bytes back: they come again, to those who have not seen them, and before the end.
   * @param by The reader who got them. What another one has given back before is there already.
   */
  unshift(bytes: Uint8Array, by?: Subscriber<unknown>): void {
    const end = by && this.#audience.giveBack(by, bytes.length);
    const there = end === undefined ? 0 : Math.max(0, end - this.#inbox.offset);
    if (bytes.length <= there || this.dropping) return;
    this.#inbox.unshift(bytes.subarray(0, bytes.length - there));
    if (this.state !== 'told') return;
    this.state = 'ended';
    this.#audience.retractEnd();
  }

  /** @param parting Whether what nobody takes now is dropped. */
  deliver(parting: boolean): void {
    while (this.#deliverNext(parting));
  }

  /** Delivers the next thing there is; answers whether there may be more. */
  #deliverNext(parting: boolean): boolean {
    const { bytes, offset, next } = this.#inbox;
    const { held } = this.#flow;
    const taken = this.#audience.reads && !held;
    if (parting && !taken && (bytes > 0 || held)) this.drop();
    if (this.dropping) return false;
    if (bytes > 0) {
      if (!taken) return false;
      if (!this.#audience.wants(offset + next)) return this.#pass();
      this.#audience.deliver(this.#inbox.shift(), offset);
      return true;
    }
    if (this.state !== 'ended' || held) return false;
    this.state = 'told';
    this.#audience.tell({ type: 'end' });
    this.#handlers.told();
    return true;
  }

  // Bytes were given back, and all who read have seen them. By the next turn a reader may have come for them.
  #pass(): false {
    this.#passing ??= this.#scheduler.schedule(() => {
      this.#passing = undefined;
      const { bytes, offset, next } = this.#inbox;
      if (bytes > 0 && !this.#audience.wants(offset + next)) this.#inbox.shift();
      this.#handlers.turned();
    });
    return false;
  }
}
