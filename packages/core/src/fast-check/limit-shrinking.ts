// How long a counterexample is made smaller: long stories and long frames have very many smaller cases.
import { performance } from 'node:perf_hooks';

/** In milliseconds. */
const MAX_SHRINKING = 2000;

/** The time for shrinking the counterexample of one property. It begins at the first failure. */
export class ShrinkLimit {
  #until = Number.POSITIVE_INFINITY;

  /**
   * Whether the time is over. Then the property passes every case: so fast-check stops, and reports the smallest
   * counterexample that it has found until then.
   */
  get isOver(): boolean {
    return performance.now() > this.#until;
  }

  /** Notes that a case has failed. */
  failed(): void {
    this.#until = Math.min(this.#until, performance.now() + MAX_SHRINKING);
  }
}

/** Returns a predicate for one property, which passes every case once the time for shrinking is over. */
export function limitShrinking<A extends unknown[]>(
  check: (...args: A) => Promise<void>,
): (...args: A) => Promise<void> {
  const limit = new ShrinkLimit();
  return async (...args) => {
    if (limit.isOver) return;
    try {
      await check(...args);
    } catch (error) {
      limit.failed();
      throw error;
    }
  };
}
