// What a client process of `hold` does.
import type { Target } from '../transports.js';

export interface HoldJob {
  readonly target: Target;
  readonly connections: number;
  /** How often each connection sends something and waits for it to come back. */
  readonly rounds: number;
  /** The pause between two rounds, in milliseconds. */
  readonly pause: number;
  readonly seed: number;
}
