// A graceful close with a time limit. When the limit passes, everything that is still open is aborted.
import type { SchedulerLike } from 'rxjs';
import { Deadline } from './deadline.js';

/**
 * Waits for a graceful close, and calls `abort` if it takes longer than `milliseconds`.
 * @param milliseconds 0 aborts at once; Infinity never aborts.
 * @param closed Returns a promise that settles when everything has closed; `undefined` if there is nothing to wait for.
 * If `milliseconds` is 0, it is called after `abort`.
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
