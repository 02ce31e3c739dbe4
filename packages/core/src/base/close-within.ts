// A close with a time limit: what has not closed when the limit passes is aborted.
import type { SchedulerLike } from 'rxjs';
import { Deadline } from './deadline.js';

/**
 * Waits until something has closed, and aborts it after `milliseconds`.
 * @param milliseconds 0 aborts at once; Infinity never aborts.
 * @param closed Settles when it has closed. Called after the first abort, if that comes at once.
 */
export async function closeWithin(
  scheduler: SchedulerLike,
  milliseconds: number,
  abort: () => void,
  closed: () => Promise<void> | undefined,
): Promise<void> {
  const deadline = new Deadline(scheduler, milliseconds, abort);
  if (milliseconds === 0) abort();
  else deadline.start();
  await closed();
  deadline.stop();
}
