// The two ends of a hold. `Holds` counts the holds on a source. `Brake` is the single hold of a consumer.
import type { Flow, Release } from './flow.js';

/**
 * The name of a holder. A consumer that only forwards the holds of its own consumers passes a function, because their
 * names change while it holds.
 */
export type Reason = string | (() => string);

/** A flow that takes a function as the reason. */
interface LazyFlow {
  hold(reason: Reason): Release;
}

/** The reason of a consumer that goes on in the next turn of the event loop by itself. */
export const NEXT_TURN = 'the next turn';

/** Is notified of the first hold and of the last release. A socket is one itself, so that it needs no function. */
export type HoldsOwner = { heldChanged(held: boolean): void } | ((held: boolean) => void);

/** Counts and names the holds on a source, and notifies it of the first hold and of the last release. */
export class Holds implements Flow {
  /** `undefined` until the first hold: most sockets are never held. */
  #tokens: Set<{ readonly reason: Reason }> | undefined;
  readonly #owner: HoldsOwner;
  /** Whether the values arrive in real time. If so, a consumer may process them in several turns of the event loop. */
  isRealTime: boolean;

  constructor(owner: HoldsOwner, isRealTime = false) {
    this.#owner = owner;
    this.isRealTime = isRealTime;
  }

  get held(): boolean {
    return this.#tokens !== undefined && this.#tokens.size > 0;
  }

  get holds(): readonly string[] {
    return [...(this.#tokens ?? [])].map(({ reason }) => (typeof reason === 'string' ? reason : reason()));
  }

  /** Whether all holds end by themselves in the next turn. */
  get endsNextTurn(): boolean {
    return this.held && this.holds.every((reason) => reason === NEXT_TURN);
  }

  hold(reason: Reason = 'hold'): Release {
    const token = { reason };
    this.#tokens ??= new Set();
    const tokens = this.#tokens.add(token);
    if (tokens.size === 1) this.#notify(true);
    const release = () => {
      if (tokens.delete(token) && tokens.size === 0) this.#notify(false);
    };
    return Object.assign(release, { [Symbol.dispose]: release });
  }

  #notify(held: boolean): void {
    if (typeof this.#owner === 'function') this.#owner(held);
    else this.#owner.heldChanged(held);
  }
}

/** The single hold of a consumer, which it switches on and off many times. */
export class Brake {
  readonly #flow: LazyFlow;
  readonly #reason: Reason;
  #release: Release | undefined;

  constructor(flow: Flow, reason: string);
  constructor(flow: LazyFlow, reason: Reason);
  constructor(flow: Flow | LazyFlow, reason: Reason) {
    this.#flow = flow as LazyFlow;
    this.#reason = reason;
  }

  get held(): boolean {
    return this.#release !== undefined;
  }

  on(): void {
    this.#release ??= this.#flow.hold(this.#reason);
  }

  off(): void {
    const release = this.#release;
    // Cleared first: the flow may deliver inside release(), and that may switch the brake on again.
    this.#release = undefined;
    release?.();
  }
}
