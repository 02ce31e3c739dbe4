// What the promises of write() count towards maxWriteBuffer while they wait. Limits count memory, and a promise costs
// more than a small chunk.

/** The memory of a pending promise and what belongs to it, in bytes. */
const PROMISE = 400;

/** So many promises do not count. So a limit of a few bytes still is what it says. */
const UNCOUNTED = 1024;

/** Returns what pending promises count, in bytes. */
export function promiseCost(promises: number): number {
  return Math.max(0, promises - UNCOUNTED) * PROMISE;
}
