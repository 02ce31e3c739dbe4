// The clock of timeouts and durations. It is monotonic, because somebody may set the wall clock while a timeout runs.
// With virtual time it is the clock of the scheduler.
import type { SchedulerLike } from 'rxjs';

/** How far the wall clock may move between two calls of Date.now(), in milliseconds. */
const TOLERANCE = 50;

/**
 * Returns a time in milliseconds. Compare it only with other times of the same scheduler. Every call checks whether the
 * scheduler has virtual time, because inside `TestScheduler.run()` every scheduler has it.
 */
export function elapsedTime(scheduler: SchedulerLike): number {
  const now = scheduler.now();
  return isWallClock(now) ? performance.now() : now;
}

/** Returns whether the scheduler has virtual time: its time is not that of the wall clock. */
export function hasVirtualTime(scheduler: SchedulerLike): boolean {
  return !isWallClock(scheduler.now());
}

function isWallClock(now: number): boolean {
  return Math.abs(now - Date.now()) <= TOLERANCE;
}
