// Channel: one direction of a connection in memory. Bytes that are sent arrive later, slower, in pieces, or not at all.
// Every delivery runs on the scheduler, in order, so that virtual time alone decides when it happens.
import type { SchedulerLike, Subscription } from 'rxjs';
import { elapsedTime } from '../base/clock.js';
import type { Faults } from './faults.js';

/** What the receiver gets: bytes, a FIN, a reset by the sender, or a reset by the channel itself, for both ends. */
export type Delivery = Buffer | 'fin' | 'reset' | 'resetBoth';

export class Channel {
  readonly #scheduler: SchedulerLike;
  readonly #deliver: (delivery: Delivery) => void;
  readonly #latency: number;
  readonly #bandwidth: number;
  readonly #sizes: readonly number[];
  /** Whether every piece gets its own turn, so that the receiver does not get two pieces as one. */
  readonly #separately: boolean;
  /** What the receiver gets after the last byte that may pass. */
  readonly #ending: Delivery;
  /** How many more bytes may pass. */
  #allowance: number;
  #piecesSent = 0;
  #inTransit: { readonly dueAt: number; readonly delivery: Delivery }[] = [];
  /** When the last byte that was sent leaves the sender, as `elapsedTime` counts. */
  #busyUntil = 0;
  #finished = false;
  #timer: Subscription | undefined;

  constructor(scheduler: SchedulerLike, faults: Faults, deliver: (delivery: Delivery) => void) {
    const { latency = 0, bandwidth = 0, slice, cut, reset } = faults;
    this.#scheduler = scheduler;
    this.#deliver = deliver;
    this.#latency = latency;
    this.#bandwidth = bandwidth || Number.POSITIVE_INFINITY;
    // Without `slice`, a limited bandwidth delivers the bytes of 10 ms at a time. Otherwise they would all arrive
    // at the end.
    this.#sizes = typeof slice === 'number' ? [slice] : (slice ?? [Math.max(1, Math.ceil(this.#bandwidth / 100))]);
    this.#separately = slice !== undefined;
    this.#ending = reset === undefined ? 'fin' : 'resetBoth';
    this.#allowance = cut ?? reset ?? Number.POSITIVE_INFINITY;
    if (this.#allowance === 0) this.#finish(this.#ending);
  }

  /** How long until everything that was sent has left the sender, in milliseconds. */
  get busyFor(): number {
    return Math.max(0, this.#busyUntil - elapsedTime(this.#scheduler));
  }

  /** Sends bytes. Returns how many of them will arrive. */
  send(bytes: Buffer): number {
    if (this.#finished) return 0;
    const passing = bytes.subarray(0, this.#allowance);
    for (let at = 0; at < passing.length; ) {
      const size = this.#sizes[this.#piecesSent++ % this.#sizes.length] as number;
      this.#push(passing.subarray(at, at + size));
      at += size;
    }
    this.#allowance -= passing.length;
    if (this.#allowance === 0) this.#finish(this.#ending);
    return passing.length;
  }

  /** Sends a FIN after everything that was sent. */
  finish(): void {
    if (!this.#finished) this.#finish('fin');
  }

  /** Sends a reset after everything that was sent, even after a FIN. */
  reset(): void {
    this.#finish('reset');
  }

  /** Drops everything in transit. */
  stop(): void {
    this.#inTransit = [];
    this.#timer?.unsubscribe();
    this.#timer = undefined;
  }

  #finish(delivery: Delivery): void {
    this.#finished = true;
    this.#push(delivery);
  }

  #push(delivery: Delivery): void {
    const length = typeof delivery === 'string' ? 0 : delivery.length;
    this.#busyUntil = Math.max(this.#busyUntil, elapsedTime(this.#scheduler)) + (length * 1000) / this.#bandwidth;
    this.#inTransit.push({ dueAt: this.#busyUntil + this.#latency, delivery });
    this.#schedule();
  }

  #schedule(): void {
    const [first] = this.#inTransit;
    if (!first || this.#timer) return;
    const delay = Math.max(0, first.dueAt - elapsedTime(this.#scheduler));
    this.#timer = this.#scheduler.schedule(() => this.#deliverDue(), delay);
  }

  #deliverDue(): void {
    const now = elapsedTime(this.#scheduler);
    // The first delivery is due, even if the clock is a little behind the timer.
    for (let next = this.#inTransit.shift(); next; next = this.#inTransit.shift()) {
      this.#deliver(next.delivery);
      const following = this.#inTransit[0];
      if (this.#separately || !following || following.dueAt > now) break;
    }
    this.#timer = undefined;
    this.#schedule();
  }
}
