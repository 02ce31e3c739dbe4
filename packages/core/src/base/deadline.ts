// A time limit. A restart costs almost nothing: the timer stays, and if it fires too early, it is set again for the
// time that is left.
import { type SchedulerLike, Subscription } from 'rxjs';
import { elapsedTime, hasRealTime, hasVirtualTime } from './clock.js';

/** The longest delay of a timer, in milliseconds. `setTimeout` treats a longer one as 1. */
export const LONGEST_TIMER = 2_147_483_647;

/** From this delay on, a timer is late because the event loop was blocked; in milliseconds. */
const LATE = 10;

/** Measures the progress that a deadline waits for. */
export interface ProgressMeter {
  /** Returns a number that grows with progress. */
  read(): number;
  /**
   * Looks for progress that `read` cannot see. The deadline calls it only when the limit has passed, and never in
   * virtual time. `undefined` means that there is nothing to look at. The promise must not reject.
   */
  look?(): Promise<ProgressLook> | undefined;
}

export interface ProgressLook {
  /** A number that grows with progress. Deadlines compare it only with that of an earlier look. */
  readonly progress: number;
  /** Whether something is left that can make progress. */
  readonly unfinished: boolean;
}

/**
 * Expires when its limit has passed without progress. It takes two looks to see progress: the first shows how far it
 * is, and the second whether it goes on. So if the first look finds something unfinished, the deadline restarts, and
 * the next look decides.
 *
 * If the event loop was blocked, the timer is late, and what has arrived meanwhile was not read yet: then the deadline
 * waits once more, for as long as the timer was late. Only once, so that a loop that is always slow does not make it
 * wait for ever.
 */
export class Deadline {
  readonly #scheduler: SchedulerLike;
  readonly #milliseconds: number;
  readonly #onExpired: () => void;
  readonly #meter: ProgressMeter | undefined;
  #due = 0;
  /** While paused: how many milliseconds are left. */
  #left: number | undefined;
  /** What `read` returned when the deadline was started or restarted. */
  #lastRead = 0;
  /** The progress at the look that restarted the deadline; `undefined` if no look did. */
  #lastLook: number | undefined;
  /** Whether it has waited for what arrived while the event loop was blocked. */
  #hasCaughtUp = false;
  /** The timer, or the look that follows it. */
  #pending: Subscription | undefined;

  /**
   * @param milliseconds 0 and Infinity mean no limit.
   * @param meter If it shows progress when the limit passes, the deadline restarts.
   */
  constructor(scheduler: SchedulerLike, milliseconds: number, onExpired: () => void, meter?: ProgressMeter) {
    this.#scheduler = scheduler;
    this.#milliseconds = milliseconds;
    this.#onExpired = onExpired;
    this.#meter = meter;
  }

  get running(): boolean {
    return this.#pending !== undefined;
  }

  /** Starts, or restarts with the full time. */
  start(): void {
    if (this.#milliseconds === 0 || this.#milliseconds === Number.POSITIVE_INFINITY) return;
    this.#left = undefined;
    this.#postpone();
    if (!this.#pending) this.#arm(this.#milliseconds);
  }

  /** Stands still if it is running. `run()` goes on with the time that is left. */
  pause(): void {
    if (!this.#pending) return;
    const left = Math.max(0, this.#due - elapsedTime(this.#scheduler));
    this.stop();
    this.#left = left;
  }

  /** Goes on after `pause()`, or starts. A deadline that is already running keeps its time. */
  run(): void {
    if (this.#pending) return;
    const left = this.#left;
    if (left === undefined) return this.start();
    this.#left = undefined;
    this.#due = elapsedTime(this.#scheduler) + left;
    this.#arm(left);
  }

  /** Restarts with the full time if it is running or paused. */
  touch(): void {
    if (this.#pending) this.#postpone();
    this.#left = undefined;
  }

  stop(): void {
    this.#pending?.unsubscribe();
    this.#pending = undefined;
    this.#left = undefined;
  }

  #postpone(): void {
    this.#due = elapsedTime(this.#scheduler) + this.#milliseconds;
    this.#lastRead = this.#meter?.read() ?? 0;
    this.#lastLook = undefined;
    this.#hasCaughtUp = false;
  }

  #arm(milliseconds: number): void {
    this.#pending = this.#scheduler.schedule(
      () => {
        this.#pending = undefined;
        if (this.#isEarly() || this.#catchesUp()) return;
        const look = hasVirtualTime(this.#scheduler) ? undefined : this.#meter?.look?.();
        if (look) void this.#look(look);
        else if (this.#hasRisen()) this.start();
        else this.#onExpired();
      },
      Math.min(milliseconds, LONGEST_TIMER),
    );
  }

  /** Sets the timer for the time that is left. Returns `false` if there is none. */
  #isEarly(): boolean {
    const left = this.#due - elapsedTime(this.#scheduler);
    if (left > 0) this.#arm(left);
    return left > 0;
  }

  /** Waits once more if the timer was late. Returns `false` if it was not, or if that was done already. */
  #catchesUp(): boolean {
    const late = elapsedTime(this.#scheduler) - this.#due;
    if (this.#hasCaughtUp || late < LATE || !hasRealTime(this.#scheduler)) return false;
    this.#hasCaughtUp = true;
    this.#arm(Math.min(late, this.#milliseconds));
    return true;
  }

  #hasRisen(): boolean {
    return this.#meter !== undefined && this.#meter.read() > this.#lastRead;
  }

  async #look(result: Promise<ProgressLook>): Promise<void> {
    // During the look the deadline is running: it can be stopped and restarted.
    const looking = new Subscription();
    this.#pending = looking;
    const { progress, unfinished } = await result;
    if (looking.closed) return;
    this.#pending = undefined;
    if (this.#isEarly()) return;
    const continues = this.#lastLook === undefined ? unfinished : progress > this.#lastLook;
    if (!continues && !this.#hasRisen()) return this.#onExpired();
    this.start();
    this.#lastLook = progress;
  }
}
