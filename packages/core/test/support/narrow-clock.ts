// A virtual clock whose timers are those of Node.
import { VirtualClock } from '@rxsock/core/testing';
import type { SchedulerAction, Subscription } from 'rxjs';
import { LONGEST_TIMER } from '../../src/base/deadline.js';

/** A delay that is longer than Node's timers can wait passes at once. */
export class NarrowClock extends VirtualClock {
  override schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T): Subscription {
    return super.schedule(work, delay > LONGEST_TIMER ? 1 : delay, state);
  }
}
