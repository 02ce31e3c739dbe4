// VirtualClock: time that passes when a test says so, and a wall clock that can be set.
import { VirtualAction, VirtualTimeScheduler } from 'rxjs';
import { checkNumber } from '../base/check.js';

/**
 * A scheduler whose time passes only in `tick()`. Pass it as the `scheduler` of sockets, servers, pools and
 * reconnecting sockets: their timeouts then take no real time, and run the same way every time.
 *
 * It has two clocks, as a computer has. `tick()` lets time pass for both. `setTime()` sets the wall clock, `now()`, as
 * an administrator or a time server does. Timeouts do not depend on the wall clock, so this makes none of them earlier
 * or later.
 *
 * Promises still need real turns of the event loop between two ticks.
 *
 * @example
 * ```ts
 * import { on } from '@rxsock/core';
 * import { socketPair, VirtualClock } from '@rxsock/core/testing';
 *
 * const clock = new VirtualClock();
 * const [client] = socketPair({ idleTimeout: 5000, scheduler: clock });
 * client.pipe(on('timeout')).subscribe(() => console.log('idle'));
 * clock.tick(4999);
 * clock.tick(1); // prints 'idle'
 * ```
 */
export class VirtualClock extends VirtualTimeScheduler {
  /** How far the wall clock is ahead of the time that has passed, in milliseconds. */
  #ahead: number;

  /**
   * @param time What the wall clock shows at the start, in milliseconds since the epoch.
   * @throws At the call: TypeError or RangeError for something that is not a finite number.
   */
  constructor(time = 0) {
    super(VirtualAction, 0);
    checkTime(time);
    this.#ahead = time;
  }

  /** What the wall clock shows, in milliseconds since the epoch. */
  override now = (): number => this.frame + this.#ahead;

  /**
   * Lets time pass. Everything that is due in it runs, in order.
   * @param milliseconds 0 runs only what is due now.
   * @throws At the call: TypeError or RangeError for a negative or infinite time. What a scheduled function throws is
   * thrown here.
   */
  tick(milliseconds = 0): void {
    checkNumber('milliseconds', milliseconds, 0, Number.MAX_SAFE_INTEGER);
    this.maxFrames = this.frame + milliseconds;
    this.flush();
    this.frame = this.maxFrames;
  }

  /**
   * Sets the wall clock. No time passes, and nothing runs.
   * @param time In milliseconds since the epoch.
   * @throws At the call: TypeError or RangeError for something that is not a finite number.
   */
  setTime(time: number): void {
    checkTime(time);
    this.#ahead = time - this.frame;
  }
}

function checkTime(time: unknown): void {
  checkNumber('time', time, -8.64e15, 8.64e15, 'a time in milliseconds since the epoch');
}
