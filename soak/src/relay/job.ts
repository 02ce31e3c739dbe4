// What the client process of `relay` does.
import type { Target } from '../transports.js';

/** The two relays between a client over one transport and an origin over another. */
export interface Route {
  /** Relays until both ends are done. */
  readonly whole: Target;
  /** Fails after a while. */
  readonly cutting: Target;
}

export interface RelayJob {
  readonly routes: readonly Route[];
  /** How many bytes all conversations have together, in both directions. */
  readonly bytes: number;
  readonly seed: number;
}
