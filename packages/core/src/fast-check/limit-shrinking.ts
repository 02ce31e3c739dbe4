// How long a counterexample is made smaller: long stories and long frames have very many smaller cases.

/** In milliseconds. */
const MAX_SHRINKING = 2000;

/**
 * Returns a predicate for one property, which passes everything once the time for shrinking is over: so fast-check
 * stops, and reports the smallest counterexample that it has found until then.
 */
export function limitShrinking<A extends unknown[]>(
  check: (...args: A) => Promise<void>,
): (...args: A) => Promise<void> {
  let shrinkUntil = Number.POSITIVE_INFINITY;
  return async (...args) => {
    if (performance.now() > shrinkUntil) return;
    try {
      await check(...args);
    } catch (error) {
      shrinkUntil = Math.min(shrinkUntil, performance.now() + MAX_SHRINKING);
      throw error;
    }
  };
}
