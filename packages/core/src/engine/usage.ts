// Whether a connection is in use: it closes some time after its last subscriber has left, unless somebody comes back, and
// an accepted one must be used in time.
import type { Subscription } from 'rxjs';
import { Deadline } from '../base/deadline.js';
import type { SocketLimits } from './limits.js';

/** The server that accepted a connection. */
export interface Acceptor {
  /** How long the connection may wait for its first use, in milliseconds. */
  readonly claimTimeout: number;
  /** Nobody has used the connection in time. */
  unclaimed(): void;
}

export class Usage {
  readonly #limits: Pick<SocketLimits, 'keepOpen' | 'scheduler'>;
  #claimTimer: Deadline | undefined;
  #planned: Subscription | undefined;

  constructor(limits: Pick<SocketLimits, 'keepOpen' | 'scheduler'>) {
    this.#limits = limits;
  }

  /** The connection waits for its first use. */
  awaitClaim(acceptor: Acceptor): void {
    this.#claimTimer = new Deadline(this.#limits.scheduler, acceptor.claimTimeout, () => acceptor.unclaimed());
    this.#claimTimer.start();
  }

  /** The connection is used. */
  claimed(): void {
    this.#claimTimer?.stop();
  }

  /** The last subscriber has left: calls `leave` when `keepOpen` is over. */
  planLeave(leave: () => void): void {
    const { keepOpen, scheduler } = this.#limits;
    this.cancelPlan();
    if (keepOpen !== true) this.#planned = scheduler.schedule(leave, keepOpen === false ? 0 : keepOpen);
  }

  /** Somebody has come back. */
  cancelPlan(): void {
    this.#planned?.unsubscribe();
    this.#planned = undefined;
  }

  /** The connection is closed. */
  stop(): void {
    this.claimed();
    this.cancelPlan();
  }
}
