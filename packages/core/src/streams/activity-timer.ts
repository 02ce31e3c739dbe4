// The timer behind setTimeout() of a net.Socket: it expires when nothing was received or sent for some time. It does
// not keep the process running.
import { asyncScheduler, type SchedulerLike, Subscription } from 'rxjs';
import { checkTimeout } from '../base/check.js';
import { hasVirtualTime } from '../base/clock.js';
import { Deadline, type ProgressMeter } from '../base/deadline.js';

/** The default scheduler, with timers that do not keep the process running. */
const unrefScheduler = {
  now: () => asyncScheduler.now(),
  schedule: (work: () => void, delay?: number) => {
    // Inside `TestScheduler.run()`.
    if (hasVirtualTime(asyncScheduler)) return asyncScheduler.schedule(work, delay);
    const timer = setTimeout(work, delay).unref();
    return new Subscription(() => clearTimeout(timer));
  },
} as SchedulerLike;

export class ActivityTimer {
  readonly #scheduler: SchedulerLike;
  readonly #onExpired: () => void;
  readonly #meter: ProgressMeter;
  #deadline: Deadline | undefined;

  /** @param meter Shows progress that `touch()` is not called for. */
  constructor(scheduler: SchedulerLike, onExpired: () => void, meter: ProgressMeter) {
    this.#scheduler = scheduler === asyncScheduler ? unrefScheduler : scheduler;
    this.#onExpired = onExpired;
    this.#meter = meter;
  }

  /**
   * Starts with a new time.
   * @param milliseconds 0 and Infinity stop the timer.
   * @throws TypeError or RangeError if it is not a number, or negative.
   */
  start(milliseconds: number): void {
    checkTimeout('timeout', milliseconds);
    this.stop();
    this.#deadline = new Deadline(this.#scheduler, milliseconds, this.#onExpired, this.#meter);
    this.#deadline.start();
  }

  /** Restarts with the full time, also after it has expired, as in Node. Does nothing after `stop()`. */
  touch(): void {
    this.#deadline?.start();
  }

  stop(): void {
    this.#deadline?.stop();
    this.#deadline = undefined;
  }
}
