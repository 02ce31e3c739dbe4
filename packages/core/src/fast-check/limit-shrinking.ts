// How long a counterexample is made smaller: long stories and long frames have very many smaller cases.
import { performance } from 'node:perf_hooks';

/** How much time the process may compute, in milliseconds: a busy machine finds as small a counterexample. */
const MAX_COMPUTING = 2000;
/** How long it may take in all, in milliseconds, if the cases wait more than they compute: stories over real sockets. */
const MAX_WAITING = 6000;

/** The time for shrinking the counterexample of one property. It begins at the first failure. */
export class ShrinkLimit {
  readonly #milliseconds: number;
  #start: { readonly at: number; readonly cpu: NodeJS.CpuUsage } | undefined;

  /** @param milliseconds How long it may take in all. */
  constructor(milliseconds = Number.POSITIVE_INFINITY) {
    this.#milliseconds = milliseconds;
  }

  /**
   * Whether the time is over. Then the property passes every case: so fast-check stops, and reports the smallest
   * counterexample that it has found until then.
   */
  get isOver(): boolean {
    if (!this.#start) return false;
    const { at, cpu } = this.#start;
    const { user, system } = process.cpuUsage(cpu);
    return (user + system) / 1000 > MAX_COMPUTING || performance.now() - at > this.#milliseconds;
  }

  /** Notes that a case has failed. */
  failed(): void {
    this.#start ??= { at: performance.now(), cpu: process.cpuUsage() };
  }
}

/** Returns a predicate for one property, which passes every case once the time for shrinking is over. */
export function limitShrinking<A extends unknown[]>(
  check: (...args: A) => Promise<void>,
): (...args: A) => Promise<void> {
  const limit = new ShrinkLimit(MAX_WAITING);
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
