// The faults of a connection in memory, and their checks.
import { checkCount, checkFiniteSize, checkNumber, rangeError } from '../base/check.js';

/** The faults of one direction. */
export interface Faults {
  /** How much later everything arrives, in milliseconds. */
  readonly latency?: number | undefined;
  /** In bytes per second. 0 and Infinity mean no limit. */
  readonly bandwidth?: number | undefined;
  /** Bytes per piece. The sizes of an array are used one after another, and then from the first again. */
  readonly slice?: number | readonly number[] | undefined;
  /** After how many bytes the receiver gets a FIN. The rest is dropped. */
  readonly cut?: number | undefined;
  /** After how many bytes both ends get a reset. */
  readonly reset?: number | undefined;
}

/** Checks the faults that have the same names in the options of `socketPair()` and `faultyProxy()`. */
export function checkFaults({ slice, cut, reset }: Faults): void {
  if (cut !== undefined) checkCount('cut', cut);
  if (reset !== undefined) checkCount('reset', reset);
  if (cut !== undefined && reset !== undefined)
    throw new TypeError('cut and reset cannot be used together: leave one of them out');
  if (slice === undefined) return;
  const sizes: readonly unknown[] = Array.isArray(slice) ? slice : [slice];
  if (sizes.length === 0) throw rangeError('slice', 'a positive integer, or an array of them', slice);
  for (const size of sizes) checkFiniteSize('slice', size);
}

/** Checks a number of bytes per second: 0 means no limit. */
export function checkRate(name: string, value: unknown): void {
  checkNumber(name, value, 0, Number.POSITIVE_INFINITY, 'a number of bytes per second, 0 or more, or Infinity');
}
