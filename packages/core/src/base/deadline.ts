// A time limit. Moving it costs almost nothing: a timer that fires too early is set again for the rest.
import type { SchedulerLike, Subscription } from 'rxjs';
import { elapsedTime } from './clock.js';

/** The longest delay of a timer, in milliseconds. `setTimeout` treats a longer one as 1. */
export const LONGEST_TIMER = 2_147_483_647;

export class Deadline {
  readonly #scheduler: SchedulerLike;
  readonly #milliseconds: number;
  readonly #onExpired: () => void;
  readonly #gauge: () => number;
  #due = 0;
  #lastGauge = 0;
  #timer: Subscription | undefined;

  /**
   * @param milliseconds 0 and Infinity mean no limit.
   * @param gauge A value that shows progress. If it has changed when the limit passes, the deadline restarts.
   */
  constructor(scheduler: SchedulerLike, milliseconds: number, onExpired: () => void, gauge = () => 0) {
    this.#scheduler = scheduler;
    this.#milliseconds = milliseconds;
    this.#onExpired = onExpired;
    this.#gauge = gauge;
  }

  get running(): boolean {
    return this.#timer !== undefined;
  }

  /** Starts, or restarts with the full time. */
  start(): void {
    if (this.#milliseconds === 0 || this.#milliseconds === Number.POSITIVE_INFINITY) return;
    this.#postpone();
    if (!this.#timer) this.#arm(this.#milliseconds);
  }

  /** Starts or stops. A deadline that is already running keeps its time. */
  setRunning(running: boolean): void {
    if (!running) this.stop();
    else if (!this.running) this.start();
  }

  /** Restarts with the full time if it is running. */
  touch(): void {
    if (this.#timer) this.#postpone();
  }

  stop(): void {
    this.#timer?.unsubscribe();
    this.#timer = undefined;
  }

  #postpone(): void {
    this.#due = elapsedTime(this.#scheduler) + this.#milliseconds;
    this.#lastGauge = this.#gauge();
  }

  #arm(milliseconds: number): void {
    this.#timer = this.#scheduler.schedule(
      () => {
        this.#timer = undefined;
        const left = this.#due - elapsedTime(this.#scheduler);
        if (left > 0) this.#arm(left);
        else if (this.#gauge() !== this.#lastGauge) this.start();
        else this.#onExpired();
      },
      Math.min(milliseconds, LONGEST_TIMER),
    );
  }
}
