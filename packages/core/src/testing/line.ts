// One direction of a connection in memory: what is sent into it arrives later, slower, in pieces, or not at all. It tells
// everything on a scheduler, in order, so that virtual time decides alone.
import type { SchedulerLike, Subscription } from 'rxjs';
import { checkLimit } from '../engine/limits.js';

/** What a line does to all that passes. */
export interface LineFaults {
  /** How much later everything arrives, in milliseconds. */
  readonly latency?: number | undefined;
  /** In bytes per second; 0 is no limit. */
  readonly bandwidth?: number | undefined;
  /** Bytes per piece: one number, or several in turn and over again. */
  readonly slice?: number | readonly number[] | undefined;
  /** After how many bytes the receiver gets a FIN. */
  readonly cut?: number | undefined;
  /** After how many bytes both ends get a reset. */
  readonly reset?: number | undefined;
}

/** Refuses numbers that mean nothing. */
export function checkFaults({ slice, cut, reset }: LineFaults, times: Record<string, number | undefined>): void {
  for (const [name, value] of Object.entries({ cut, reset, ...times })) checkLimit(name, value ?? 0);
  if (cut !== undefined && reset !== undefined) throw new TypeError('Give cut or reset, not both');
  const sizes = typeof slice === 'number' ? [slice] : slice;
  if (sizes && (sizes.length === 0 || !sizes.every((size) => Number.isInteger(size) && size >= 1))) {
    throw new RangeError('slice must be a whole number from 1 up, or several');
  }
}

/** What arrives: bytes, an end, a reset; `broken` is the line's own reset, for both ends. */
export type Arrival = Buffer | 'fin' | 'reset' | 'broken';

export class Line {
  readonly #scheduler: SchedulerLike;
  readonly #arrive: (arrival: Arrival) => void;
  readonly #latency: number;
  readonly #bandwidth: number;
  readonly #sizes: readonly number[];
  /** Whether every piece has a turn of its own, so that the receiver does not get two as one. */
  readonly #apart: boolean;
  readonly #end: Arrival;
  /** Bytes that still pass before the line ends them. */
  #left: number;
  #pieces = 0;
  #transit: { readonly due: number; readonly arrival: Arrival }[] = [];
  #free = 0;
  #over = false;
  #timer: Subscription | undefined;

  constructor(scheduler: SchedulerLike, faults: LineFaults, arrive: (arrival: Arrival) => void) {
    const { latency = 0, bandwidth = 0, slice, cut, reset } = faults;
    this.#scheduler = scheduler;
    this.#arrive = arrive;
    this.#latency = latency;
    this.#bandwidth = bandwidth || Number.POSITIVE_INFINITY;
    // What a slow line carries does not come all at once at the end: a hundredth of a second at a time.
    this.#sizes = typeof slice === 'number' ? [slice] : (slice ?? [Math.max(1, Math.ceil(this.#bandwidth / 100))]);
    this.#apart = slice !== undefined;
    this.#end = reset === undefined ? 'fin' : 'broken';
    this.#left = cut ?? reset ?? Number.POSITIVE_INFINITY;
    if (this.#left === 0) this.#finish(this.#end);
  }

  /** How long until all that was sent has gone out, in milliseconds. */
  get busy(): number {
    return Math.max(0, this.#free - this.#scheduler.now());
  }

  /** Sends bytes; answers how many of them will arrive. */
  send(bytes: Buffer): number {
    if (this.#over) return 0;
    const passing = bytes.subarray(0, this.#left);
    for (let at = 0; at < passing.length; ) {
      const size = this.#sizes[this.#pieces++ % this.#sizes.length] as number;
      this.#push(passing.subarray(at, at + size));
      at += size;
    }
    this.#left -= passing.length;
    if (this.#left === 0) this.#finish(this.#end);
    return passing.length;
  }

  /** Sends an end after all that was sent. */
  finish(): void {
    if (!this.#over) this.#finish('fin');
  }

  /** Sends a reset after all that was sent, and after an end too. */
  reset(): void {
    this.#finish('reset');
  }

  /** Nothing arrives any more. */
  stop(): void {
    this.#transit = [];
    this.#timer?.unsubscribe();
    this.#timer = undefined;
  }

  #finish(arrival: Arrival): void {
    this.#over = true;
    this.#push(arrival);
  }

  #push(arrival: Arrival): void {
    const bytes = typeof arrival === 'string' ? 0 : arrival.length;
    this.#free = Math.max(this.#free, this.#scheduler.now()) + (bytes * 1000) / this.#bandwidth;
    this.#transit.push({ due: this.#free + this.#latency, arrival });
    this.#arm();
  }

  #arm(): void {
    const [first] = this.#transit;
    if (!first || this.#timer) return;
    this.#timer = this.#scheduler.schedule(() => this.#run(), Math.max(0, first.due - this.#scheduler.now()));
  }

  #run(): void {
    const now = this.#scheduler.now();
    // The first is due, even if the clock is behind the timer.
    for (let next = this.#transit.shift(); next; next = this.#transit.shift()) {
      this.#arrive(next.arrival);
      const after = this.#transit[0];
      if (this.#apart || !after || after.due > now) break;
    }
    this.#timer = undefined;
    this.#arm();
  }
}
