// Backpressure: what can be held, who holds it, and for how long.

/** Lets go of one hold. Calling it again does nothing. Usable with `using`. */
export interface Release extends Disposable {
  (): void;
}

/** Something that can be told to wait: a socket, a file being read, an operator with a queue. */
export interface Flow {
  /**
   * Stops the flow until the returned function is called. Holds are counted: the flow goes on when all are released.
   * @param reason A name for who holds, shown in `holds` and in the message of a `holdTimeout`.
   */
  hold(reason?: string): Release;
  /** The reasons of the holds in force; empty while it flows. */
  readonly holds: readonly string[];
}

/** Counts and names holds, and tells its owner when the first one comes and when the last one goes. */
export class Holds implements Flow {
  readonly #tokens = new Set<{ readonly reason: string }>();
  readonly #changed: (held: boolean) => void;

  constructor(changed: (held: boolean) => void) {
    this.#changed = changed;
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
    if (this.#tokens.size === 1) this.#changed(true);
    const release = () => {
      if (this.#tokens.delete(token) && this.#tokens.size === 0) this.#changed(false);
    };
    return Object.assign(release, { [Symbol.dispose]: release });
  }
}

/**
 * The one hold of a consumer, put on and taken off again and again. It is off before it lets go: what is let go may
 * deliver at once, and that may put it on again.
 */
export class Brake {
  readonly #flow: Flow;
  readonly #reason: () => string;
  #release: Release | undefined;

  /** @param reason Asked for at every hold: who only passes a hold on names those whom it has it from. */
  constructor(flow: Flow, reason: string | (() => string)) {
    this.#flow = flow;
    this.#reason = typeof reason === 'string' ? () => reason : reason;
  }

  /** Whether it is on. */
  get held(): boolean {
    return this.#release !== undefined;
  }

  on(): void {
    this.#release ??= this.#flow.hold(this.#reason());
  }

  off(): void {
    const release = this.#release;
    this.#release = undefined;
    release?.();
  }
}

interface FlowEntry {
  joins: number;
  release: Release | undefined;
}

/** A flow made of flows: a hold reaches all members, those that join later too. */
export class FlowSet implements Flow {
  readonly #members = new Map<Flow, FlowEntry>();
  readonly #own = new Holds((held) => (held ? this.#holdAll() : this.#releaseAll()));

  get size(): number {
    return this.#members.size;
  }

  get held(): boolean {
    return this.#own.held;
  }

  get holds(): readonly string[] {
    return this.#own.holds;
  }

  hold(reason?: string): Release {
    return this.#own.hold(reason);
  }

  /** Adds a flow; the returned function takes it out again and lets go of it. */
  add(flow: Flow): () => void {
    let member = this.#members.get(flow);
    if (!member) {
      member = { joins: 0, release: undefined };
      this.#members.set(flow, member);
      if (this.held) member.release = flow.hold(this.#reason());
    }
    member.joins++;
    let joined = true;
    return () => {
      if (!joined) return;
      joined = false;
      if (--member.joins > 0) return;
      this.#members.delete(flow);
      member.release?.();
    };
  }

  #reason(): string {
    return this.holds.join(', ');
  }

  #holdAll(): void {
    for (const [flow, member] of this.#members) member.release ??= flow.hold(this.#reason());
  }

  // A released member may deliver at once, and what it delivers may clog the consumer again: the rest stay held then.
  #releaseAll(): void {
    for (const member of [...this.#members.values()]) {
      if (this.held) return;
      const { release } = member;
      member.release = undefined;
      release?.();
    }
  }
}
