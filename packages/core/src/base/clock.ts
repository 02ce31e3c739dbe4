// Elapsed time. It follows a monotonic clock, because the wall clock may be set while a timeout runs; virtual time follows
// its scheduler.
import type { SchedulerLike } from 'rxjs';

/** How far the wall clock may move between two calls of Date.now(), in milliseconds. */
const TOLERANCE = 50;

/**
 * Returns a time in milliseconds, to be compared with other times of the same scheduler. A scheduler whose time is not the
 * wall clock is a virtual one. This is asked at every call: inside `TestScheduler.run()` every scheduler is virtual.
 */
export function elapsedTime(scheduler: SchedulerLike): number {
  const now = scheduler.now();
  return Math.abs(now - Date.now()) <= TOLERANCE ? performance.now() : now;
}
