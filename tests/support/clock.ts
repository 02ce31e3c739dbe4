// A virtual clock: time passes when a test says so.
import { VirtualAction, VirtualTimeScheduler } from 'rxjs';

export class Clock extends VirtualTimeScheduler {
  constructor() {
    super(VirtualAction, 0);
  }

  /** Lets time pass. Everything that is due in it happens, in order. */
  pass(milliseconds: number): void {
    this.maxFrames = this.frame + milliseconds;
    this.flush();
    this.frame = this.maxFrames;
  }
}
