// Small helpers for what takes time.
import { type SchedulerLike, Subscription } from 'rxjs';

/** What a timer can wait at most, in milliseconds: `setTimeout` takes more for 1. */
const LONGEST_TIMER = 2_147_483_647;

/** Calls `act` when so many milliseconds have passed; 0 and Infinity mean never. */
export function timer(scheduler: SchedulerLike, milliseconds: number, act: () => void): Subscription {
  if (milliseconds === 0 || milliseconds === Number.POSITIVE_INFINITY) return Subscription.EMPTY;
  return scheduler.schedule(act, Math.min(milliseconds, LONGEST_TIMER));
}

/** A promise with its ends. A rejection that nobody handles is harmless. */
export function settleable<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((resolved, rejected) => {
    resolve = resolved;
    reject = rejected;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
