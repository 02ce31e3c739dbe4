// The delay before the next attempt: longer each time, partly random, and back to the first delay after a connection
// that stayed open long enough.
import { checkDelay, checkNumber, checkObject, checkTimeout, rangeError, type WithDefaults } from '../base/check.js';

/** How long {@link reconnect} waits before it dials again. All times are in milliseconds. */
export interface BackoffOptions {
  /** The first delay, in milliseconds. With 0 every retry dials in the next turn. @defaultValue 500 */
  readonly initial?: number | undefined;
  /** The longest delay, in milliseconds; at least `initial` and at most 2,147,483,647. @defaultValue 30,000 */
  readonly max?: number | undefined;
  /** Each delay is the one before multiplied by this; 1 or more. @defaultValue 2 */
  readonly factor?: number | undefined;
  /**
   * Which part of each delay is random, from 0 to 1, so that clients that lost the same server do not all return at the
   * same moment. A delay of 1,000 with a jitter of 0.5 becomes a random number from 500 to 1,000.
   * @defaultValue 0.5
   */
  readonly jitter?: number | undefined;
  /**
   * How long a connection must stay open, in milliseconds, before the retries are counted from 0 again. With 0 every
   * connection that opens resets the count; with Infinity none does. A value above 0 keeps the delays growing while a
   * server accepts connections and closes them at once.
   * @defaultValue 5,000
   */
  readonly resetAfter?: number | undefined;
}

export class Backoff {
  /** How many retries were made since the last connection that stayed open for `resetAfter`. */
  attempts = 0;
  readonly #options: WithDefaults<BackoffOptions>;

  constructor(options: BackoffOptions = {}) {
    checkObject('backoff', options);
    const { initial = 500, max = 30_000, factor = 2, jitter = 0.5, resetAfter = 5_000 } = options;
    checkDelay('backoff.initial', initial);
    checkDelay('backoff.max', max);
    if (max < initial) throw rangeError('backoff.max', `backoff.initial (${initial}) or more`, max);
    checkNumber('backoff.factor', factor, 1, Number.POSITIVE_INFINITY);
    checkNumber('backoff.jitter', jitter, 0, 1);
    checkTimeout('backoff.resetAfter', resetAfter);
    this.#options = { initial, max, factor, jitter, resetAfter };
  }

  /** Counts a retry and returns the delay before it, in milliseconds. */
  nextDelay(): number {
    const { initial, max, factor, jitter } = this.#options;
    const delay = initial === 0 ? 0 : Math.min(max, initial * factor ** this.attempts);
    this.attempts++;
    return delay * (1 - jitter * Math.random());
  }

  /** Starts the count again if a connection stayed open long enough. */
  connectionEnded(millisecondsOpen: number): void {
    if (millisecondsOpen >= this.#options.resetAfter) this.reset();
  }

  reset(): void {
    this.attempts = 0;
  }
}
