// What the client process of `cycles` does.
import type { Target } from '../transports.js';

export interface CyclesJob {
  readonly target: Target;
  readonly cycles: number;
  readonly seed: number;
}
