// Channel: one direction of a connection in memory. Bytes that are sent arrive later, slower, in pieces, or not at all.
// Every delivery runs on the scheduler, in order, so that virtual time alone decides when it happens.
import type { SchedulerLike, Subscription } from 'rxjs';
import { elapsedTime } from '../base/clock.js';
import { copyBytes } from '../base/copy-bytes.js';
import { scheduleAfter } from '../base/long-delay.js';
import { Queue } from '../base/queue.js';
import type { NetworkFaults } from './faults.js';
import { randomAt } from './random.js';
import { Slices } from './slices.js';

/**
 * What the receiver gets: bytes, a FIN, a reset by the sender, or a reset by the channel for both ends. The sender gets
 * the latter when the receiver has read everything before it, or at once.
 */
export type Delivery = Buffer | 'fin' | 'reset' | 'resetBoth' | 'resetBothNow';

/** Where a channel delivers, and the number that tells its random faults from those of other channels. */
export interface ChannelOptions {
  readonly scheduler: SchedulerLike;
  readonly faults: NetworkFaults;
  readonly channelNumber: number;
  readonly deliver: (delivery: Delivery) => void;
}

/** The seeds of the random faults of one channel. They must not depend on each other. */
type Draw = 'jitter' | 'size';

export class Channel {
  readonly #scheduler: SchedulerLike;
  readonly #deliver: (delivery: Delivery) => void;
  readonly #faults: NetworkFaults;
  readonly #bandwidth: number;
  readonly #slices: Slices;
  readonly #seeds: Readonly<Record<Draw, number>>;
  /** How many more bytes may pass. */
  #allowance: number;
  /** How many bytes have passed. */
  #passed = 0;
  readonly #inTransit = new Queue<{ readonly dueAt: number; readonly delivery: Delivery }>();
  /** When the last byte that was sent leaves the sender, as `elapsedTime` counts. */
  #busyUntil = 0;
  /** Whether the channel takes no more bytes. */
  #finished = false;
  /** Whether nothing passes any more, not even a reset of the sender. */
  #stalled = false;
  #timer: Subscription | undefined;
  #resetTimer: Subscription | undefined;

  constructor({ scheduler, faults, channelNumber, deliver }: ChannelOptions) {
    const { bandwidth = 0, slicer, limitData, timeout, resetPeer, seed = 0 } = faults;
    this.#scheduler = scheduler;
    this.#deliver = deliver;
    this.#faults = faults;
    this.#bandwidth = bandwidth || Number.POSITIVE_INFINITY;
    const seedOf = (key: number) => Math.floor(randomAt(seed, channelNumber, key) * 2 ** 32);
    this.#seeds = { jitter: seedOf(0), size: seedOf(1) };
    // Without a slicer, a limited bandwidth delivers the bytes of 10 ms at a time. Otherwise they would all arrive at
    // the end.
    this.#slices = new Slices(slicer, this.#seeds.size, Math.max(1, Math.ceil(this.#bandwidth / 100)));
    const bytes = timeout ? (timeout.bytes ?? 0) : (limitData ?? resetPeer?.bytes);
    this.#allowance = bytes ?? Number.POSITIVE_INFINITY;
    if (this.#allowance === 0) this.#breakDown();
    if (resetPeer && resetPeer.bytes === undefined)
      this.#resetTimer = scheduler.schedule(() => this.#resetNow(), resetPeer.delay ?? 0);
  }

  /** How long until everything that was sent has left the sender, in milliseconds. */
  get busyFor(): number {
    return Math.max(0, this.#busyUntil - elapsedTime(this.#scheduler));
  }

  /** Sends bytes. Returns how many of them will arrive. */
  send(bytes: Buffer): number {
    if (this.#finished) return 0;
    const passing = Math.min(bytes.length, this.#allowance);
    for (let at = 0; at < passing; ) {
      const size = this.#slices.take(passing - at);
      // A copy: whoever moved a piece to another thread would take the others with it.
      this.#push(size === bytes.length ? bytes : copyBytes(bytes, at, at + size));
      if (this.#slices.complete) this.#busyUntil += this.#slices.delay;
      at += size;
    }
    this.#allowance -= passing;
    if (this.#allowance === 0) this.#breakDown();
    return passing;
  }

  /** Sends a FIN after everything that was sent. */
  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#push('fin', this.#faults.slowClose);
  }

  /** Sends a reset after everything that was sent, even after a FIN. */
  reset(): void {
    if (this.#stalled) return;
    this.#finished = true;
    this.#push('reset', this.#faults.slowClose);
  }

  /** Drops everything in transit. */
  stop(): void {
    this.#inTransit.clear();
    this.#timer?.unsubscribe();
    this.#timer = undefined;
    this.#resetTimer?.unsubscribe();
  }

  /** The bytes that may pass have been sent. */
  #breakDown(): void {
    const { timeout, resetPeer, slowClose } = this.#faults;
    this.#finished = true;
    if (timeout) {
      this.#stalled = true;
      const { delay = Number.POSITIVE_INFINITY } = timeout;
      if (delay !== Number.POSITIVE_INFINITY) this.#push('fin', delay);
    } else if (resetPeer) this.#push('resetBoth', resetPeer.delay);
    else this.#push('fin', slowClose);
  }

  #resetNow(): void {
    this.#finished = true;
    this.#stalled = true;
    this.stop();
    this.#deliver('resetBothNow');
  }

  #push(delivery: Delivery, delay = 0): void {
    const length = typeof delivery === 'string' ? 0 : delivery.length;
    this.#busyUntil = Math.max(this.#busyUntil, elapsedTime(this.#scheduler)) + (length * 1000) / this.#bandwidth;
    // It may be due before those that were sent before it. It still arrives after them, because the queue is in order.
    this.#inTransit.push({ dueAt: this.#busyUntil + this.#nextLatency() + delay, delivery });
    this.#passed += length;
    this.#schedule();
  }

  // It depends on the place in the stream, and not on how many pieces came before.
  #nextLatency(): number {
    const { latency = 0, jitter = 0 } = this.#faults;
    if (jitter === 0) return latency;
    return Math.max(0, latency + jitter * (2 * randomAt(this.#seeds.jitter, this.#passed) - 1));
  }

  #schedule(): void {
    const first = this.#inTransit.peek();
    if (!first || this.#timer) return;
    const delay = Math.max(0, first.dueAt - elapsedTime(this.#scheduler));
    this.#timer = scheduleAfter(this.#scheduler, () => this.#deliverDue(), delay);
  }

  #deliverDue(): void {
    const now = elapsedTime(this.#scheduler);
    // The first delivery is due, even if the clock is a little behind the timer.
    for (let next = this.#inTransit.shift(); next; next = this.#inTransit.shift()) {
      this.#deliver(next.delivery);
      const following = this.#inTransit.peek();
      if (this.#slices.separate || !following || following.dueAt > now) break;
    }
    this.#timer = undefined;
    this.#schedule();
  }
}
