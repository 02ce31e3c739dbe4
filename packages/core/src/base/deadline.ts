// A time limit that can be pushed back at no cost: it re-arms itself when it fires too early.
import type { SchedulerLike, Subscription } from 'rxjs';

/** What a timer can wait at most, in milliseconds: `setTimeout` takes more for 1. */
export const LONGEST_TIMER = 2_147_483_647;

export class Deadline {
  readonly #scheduler: SchedulerLike;
  readonly #milliseconds: number;
  readonly #expired: () => void;
  readonly #gauge: () => number;
  #due = 0;
  #reading = 0;
  #timer: Subscription | undefined;

  /**
   * @param milliseconds 0 and Infinity mean no limit.
   * @param gauge Starts it anew, instead of expiring, if this has moved.
   */
  constructor(scheduler: SchedulerLike, milliseconds: number, expired: () => void, gauge = () => 0) {
    this.#scheduler = scheduler;
    this.#milliseconds = milliseconds;
    this.#expired = expired;
    this.#gauge = gauge;
  }

  get running(): boolean {
    return this.#timer !== undefined;
  }

  /** Starts, or starts anew. */
  start(): void {
    if (this.#milliseconds === 0 || this.#milliseconds === Number.POSITIVE_INFINITY) return;
    this.#set();
    if (!this.#timer) this.#arm(this.#milliseconds);
  }

  /** Starts, unless it runs, or stops. */
  setRunning(run: boolean): void {
    if (!run) this.stop();
    else if (!this.running) this.start();
  }

  /** Starts anew if it runs. */
  touch(): void {
    if (this.#timer) this.#set();
  }

  stop(): void {
    this.#timer?.unsubscribe();
    this.#timer = undefined;
  }

  #set(): void {
    this.#due = this.#scheduler.now() + this.#milliseconds;
    this.#reading = this.#gauge();
  }

  #arm(milliseconds: number): void {
    this.#timer = this.#scheduler.schedule(
      () => {
        this.#timer = undefined;
        const left = this.#due - this.#scheduler.now();
        if (left > 0) this.#arm(left);
        else if (this.#gauge() !== this.#reading) this.start();
        else this.#expired();
      },
      Math.min(milliseconds, LONGEST_TIMER),
    );
  }
}
