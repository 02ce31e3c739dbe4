// FlowSet: many flows that are held together. Every consumer has a FlowSet, and the sources of its values join the set.
import type { Flow, Release } from './flow.js';
import { Holds, type Reason } from './holds.js';

interface FlowEntry {
  /** How many times the flow was added and not yet removed. */
  joins: number;
  release: Release | undefined;
}

/** A flow made of other flows. A hold of the set holds all of them, and also those that join later. */
export class FlowSet implements Flow {
  readonly #entries = new Map<Flow, FlowEntry>();
  readonly #holds = new Holds((held) => (held ? this.#holdAll() : this.#releaseAll()));

  get size(): number {
    return this.#entries.size;
  }

  /** Whether the values of one of the flows arrive in real time. */
  get isRealTime(): boolean {
    for (const flow of this.#entries.keys()) if (isOurs(flow) && flow.isRealTime) return true;
    return false;
  }

  get held(): boolean {
    return this.#holds.held;
  }

  get holds(): readonly string[] {
    return this.#holds.holds;
  }

  hold(reason?: Reason): Release {
    return this.#holds.hold(reason);
  }

  /** Adds a flow. The returned function removes it, and releases the hold that this set has on it. */
  add(flow: Flow): () => void {
    let entry = this.#entries.get(flow);
    if (!entry) {
      entry = { joins: 0, release: undefined };
      this.#entries.set(flow, entry);
      if (this.held) entry.release = this.#holdOne(flow);
    }
    entry.joins++;
    let joined = true;
    return () => {
      if (!joined) return;
      joined = false;
      if (--entry.joins > 0) return;
      this.#entries.delete(flow);
      entry.release?.();
    };
  }

  #holdOne(flow: Flow): Release {
    // A consumer may hold this set by several paths.
    const reason = () => [...new Set(this.holds)].join(', ');
    return isOurs(flow) ? flow.hold(reason) : flow.hold(reason());
  }

  #holdAll(): void {
    for (const [flow, entry] of this.#entries) entry.release ??= this.#holdOne(flow);
  }

  #releaseAll(): void {
    for (const entry of [...this.#entries.values()]) {
      // A released flow may deliver at once and fill the consumer again: the other flows then stay held.
      if (this.held) return;
      const { release } = entry;
      entry.release = undefined;
      release?.();
    }
  }
}

/** Whether a flow takes a function as the reason of a hold. A flow of the user takes a name. */
function isOurs(flow: Flow): flow is Holds | FlowSet {
  return flow instanceof Holds || flow instanceof FlowSet;
}
