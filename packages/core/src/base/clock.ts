// The clock of timeouts and durations. It is monotonic, because somebody may set the wall clock while a timeout runs.
// With virtual time it is the clock of the scheduler, and with fake timers that of the fake timers.
import { type SchedulerLike, VirtualTimeScheduler } from 'rxjs';
import { monotonicNow, realTime, setInterval } from './real-timers.js';

/** How far the wall clock may move between two calls of Date.now(), in milliseconds. */
const TOLERANCE = 50;

/**
 * Returns a time in milliseconds. Compare it only with other times of the same scheduler. Every call checks whether the
 * scheduler has virtual time, because inside `TestScheduler.run()` every scheduler has it.
 */
export function elapsedTime(scheduler: SchedulerLike): number {
  return virtualTime(scheduler) ?? fakeTime() ?? realTime();
}

/** Returns whether the scheduler has virtual time: its time is not that of the wall clock, nor that of fake timers. */
export function hasVirtualTime(scheduler: SchedulerLike): boolean {
  return virtualTime(scheduler) !== undefined;
}

/** Returns whether the time of the scheduler passes by itself: it is neither virtual, nor that of fake timers. */
export function hasRealTime(scheduler: SchedulerLike): boolean {
  return fakeTime() === undefined && !hasVirtualTime(scheduler);
}

/** Returns the time of the scheduler; `undefined` if it is that of the wall clock. */
function virtualTime(scheduler: SchedulerLike): number | undefined {
  // Its now() may be a wall clock that a test sets.
  if (scheduler instanceof VirtualTimeScheduler) return scheduler.frame;
  if (isWallClock(scheduler.now())) return undefined;
  // Between the two readings, somebody may have set the wall clock, or the process may have slept. A second comparison
  // tells this from virtual time.
  const now = scheduler.now();
  return isWallClock(now) ? undefined : now;
}

function isWallClock(now: number): boolean {
  // A fake date stands still, and may be close to the virtual time: that of node:test begins with 0.
  return Math.abs(now - Date.now()) <= (fakeTime() === undefined ? TOLERANCE : 0);
}

/**
 * Returns the time of fake timers: those of sinon, Vitest and Jest, or of node:test. The latter do not replace
 * `performance`, so that only their `Date` shows it. `undefined` if RxJS's default scheduler has real timers, or a real
 * `Date`: a test that sets only the date does not stop the time.
 */
function fakeTime(): number | undefined {
  if (globalThis.setInterval === setInterval) return undefined;
  if (!('clock' in Date || 'isMock' in Date)) return undefined;
  return performance.now === monotonicNow ? Date.now() : performance.now();
}
