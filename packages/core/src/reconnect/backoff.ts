// How long to wait before the next attempt: longer each time, a little at random, and from the start again after success.
import { LONGEST_TIMER } from '../base/deadline.js';
import { checkLimit } from '../engine/limits.js';

/** How long {@link reconnect} waits between attempts. All times are in milliseconds. */
export interface BackoffOptions {
  /** The first delay, in milliseconds. @defaultValue 500 */
  readonly initial?: number;
  /** The longest delay, in milliseconds. @defaultValue 30,000 */
  readonly max?: number;
  /** What each delay is multiplied with to get the next, from 1 up. @defaultValue 2 */
  readonly factor?: number;
  /**
   * How much of each delay is left to chance, from 0 to 1, so that clients which lost the same server do not come back at
   * the same moment: a delay of 1,000 with a jitter of 0.5 is anything from 500 to 1,000.
   * @defaultValue 0.5
   */
  readonly jitter?: number;
  /**
   * How long a connection must have been open, in milliseconds, for the attempts to be counted from the start again. A
   * server that accepts and hangs up at once is not dialled ever faster for it.
   * @defaultValue 5,000
   */
  readonly resetAfter?: number;
}

export class Backoff {
  /** Attempts since the last connection that lasted. */
  attempts = 0;
  readonly #options: Required<BackoffOptions>;

  constructor(options: BackoffOptions = {}) {
    const { initial = 500, max = 30_000, factor = 2, jitter = 0.5, resetAfter = 5_000 } = options;
    for (const [name, value] of Object.entries({ initial, max, factor, jitter, resetAfter })) {
      checkLimit(`backoff.${name}`, value);
    }
    if (max < initial || max > LONGEST_TIMER) {
      const range = `from backoff.initial (${initial}) to ${LONGEST_TIMER}`;
      throw new RangeError(`backoff.max must be ${range} milliseconds, not ${max}`);
    }
    if (factor < 1) throw new RangeError(`backoff.factor must be a number from 1 up, not ${factor}`);
    if (jitter > 1) throw new RangeError(`backoff.jitter must be a number from 0 to 1, not ${jitter}`);
    this.#options = { initial, max, factor, jitter, resetAfter };
  }

  /** Counts an attempt; answers how long to wait before it, in milliseconds. */
  next(): number {
    const { initial, max, factor, jitter } = this.#options;
    const delay = initial === 0 ? 0 : Math.min(max, initial * factor ** this.attempts);
    this.attempts++;
    return delay * (1 - jitter * Math.random());
  }

  /** A connection was open for so many milliseconds. */
  lasted(milliseconds: number): void {
    if (milliseconds >= this.#options.resetAfter) this.attempts = 0;
  }
}
