// Whether a connection is in use. An accepted connection must be claimed in time; one whose last subscriber has left
// closes after `keepOpen`, unless somebody comes back.
import type { Subscription } from 'rxjs';
import { Deadline } from '../base/deadline.js';
import type { SocketLimits } from './limits.js';

/** The claim of an accepted connection: how long it may wait for its first use, and what happens if nobody comes. */
export interface Claim {
  /** In milliseconds. */
  readonly claimTimeout: number;
  readonly unclaimed: () => void;
}

export class Usage {
  /** Whether the connection has been used. Until then it does not read. */
  claimed: boolean;
  readonly #limits: Pick<SocketLimits, 'keepOpen' | 'scheduler'>;
  readonly #claimTimer: Deadline | undefined;
  #planned: Subscription | undefined;

  /** @param claim `undefined` for a dialled connection, which is in use from the start. */
  constructor(limits: Pick<SocketLimits, 'keepOpen' | 'scheduler'>, claim: Claim | undefined) {
    this.#limits = limits;
    this.claimed = claim === undefined;
    if (!claim) return;
    this.#claimTimer = new Deadline(limits.scheduler, claim.claimTimeout, claim.unclaimed);
    this.#claimTimer.start();
  }

  /** Whether a server has accepted the connection. */
  get isAccepted(): boolean {
    return this.#claimTimer !== undefined;
  }

  claim(): void {
    this.#claimTimer?.stop();
    this.claimed = true;
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
    this.#claimTimer?.stop();
    this.cancelPlan();
  }
}
