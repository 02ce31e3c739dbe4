// The times of packets.
import type { SchedulerLike } from 'rxjs';
import { hasVirtualTime } from '../base/clock.js';
import { realTime } from '../base/real-timers.js';

/** The real time in microseconds since the epoch. It never goes back, although somebody may set the clock. */
export function wallClock(): () => number {
  const offset = Date.now() - realTime();
  return () => Math.round((offset + realTime()) * 1000);
}

/** The time for a socket with this scheduler: its own if it has virtual time. */
export function clockOf(scheduler: SchedulerLike, otherwise: () => number): () => number {
  return hasVirtualTime(scheduler) ? () => Math.round(Math.max(0, scheduler.now()) * 1000) : otherwise;
}
