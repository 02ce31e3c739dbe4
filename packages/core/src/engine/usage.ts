// What is planned for when nobody comes back: the last subscriber has left, or what has come waits for a reader.
import type { Subscription } from 'rxjs';
import type { SocketLimits } from './limits.js';

export class Departure {
  readonly #limits: Pick<SocketLimits, 'keepOpen' | 'scheduler'>;
  #planned: Subscription | undefined;

  constructor(limits: Pick<SocketLimits, 'keepOpen' | 'scheduler'>) {
    this.#limits = limits;
  }

  /** Everybody has left: `act` when `keepOpen` is over. */
  plan(act: () => void): void {
    const { keepOpen, scheduler } = this.#limits;
    this.cancel();
    if (keepOpen !== true) this.#planned = scheduler.schedule(act, keepOpen === false ? 0 : keepOpen);
  }

  /** In the next turn, unless something is planned already. */
  planNextTurn(act: () => void): void {
    this.#planned ??= this.#limits.scheduler.schedule(act);
  }

  /** Somebody is there, or all is over. */
  cancel(): void {
    this.#planned?.unsubscribe();
    this.#planned = undefined;
  }
}
