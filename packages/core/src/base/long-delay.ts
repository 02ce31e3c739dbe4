// Delays that may be longer than a timer.
import { type SchedulerLike, Subscription } from 'rxjs';
import { LONGEST_TIMER } from './deadline.js';

/**
 * Runs `work` after a delay.
 * @param delay In milliseconds. It may be longer than a timer can wait. After more than 285,000 years nothing runs.
 * @returns What cancels it.
 */
export function scheduleAfter(scheduler: SchedulerLike, work: () => void, delay: number): Subscription {
  if (delay <= LONGEST_TIMER) return scheduler.schedule(work, delay);
  const pending = new Subscription();
  if (delay > Number.MAX_SAFE_INTEGER) return pending;
  const next = () => pending.add(scheduleAfter(scheduler, work, delay - LONGEST_TIMER));
  pending.add(scheduler.schedule(next, LONGEST_TIMER));
  return pending;
}
