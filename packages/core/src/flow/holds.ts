// The two ends of a hold. `Holds` counts the holds on a source. `Brake` is the single hold of a consumer.
import type { Flow, Release } from './flow.js';

/** Counts and names the holds on a source, and notifies it of the first hold and of the last release. */
export class Holds implements Flow {
  readonly #tokens = new Set<{ readonly reason: string }>();
  readonly #onChange: (held: boolean) => void;
  /** Whether the values arrive in real time. If so, a consumer may process them in several turns of the event loop. */
  readonly isRealTime: boolean;

  constructor(onChange: (held: boolean) => void, { isRealTime = false } = {}) {
    this.#onChange = onChange;
    this.isRealTime = isRealTime;
  }

  get held(): boolean {
    return this.#tokens.size > 0;
  }

  get holds(): readonly string[] {
    return [...this.#tokens].map((token) => token.reason);
  }

  hold(reason = 'hold'): Release {
    const token = { reason };
    this.#tokens.add(token);
    if (this.#tokens.size === 1) this.#onChange(true);
    const release = () => {
      if (this.#tokens.delete(token) && this.#tokens.size === 0) this.#onChange(false);
    };
    return Object.assign(release, { [Symbol.dispose]: release });
  }
}

/** The single hold of a consumer, which it switches on and off many times. */
export class Brake {
  readonly #flow: Flow;
  readonly #reason: () => string;
  #release: Release | undefined;

  /**
   * @param reason Called at every hold. A flow that only forwards a hold reports the names of its own holders.
   */
  constructor(flow: Flow, reason: string | (() => string)) {
    this.#flow = flow;
    this.#reason = typeof reason === 'string' ? () => reason : reason;
  }

  get held(): boolean {
    return this.#release !== undefined;
  }

  on(): void {
    this.#release ??= this.#flow.hold(this.#reason());
  }

  off(): void {
    const release = this.#release;
    // Cleared first: the flow may deliver inside release(), and that may switch the brake on again.
    this.#release = undefined;
    release?.();
  }
}
