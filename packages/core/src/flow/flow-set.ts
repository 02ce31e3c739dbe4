// FlowSet: many flows that are held together. Every consumer has a FlowSet, and the sources of its values join the set.
import { markCopy } from '../base/copy.js';
import type { Flow, Release } from './flow.js';
import { distinct, Holds, type Reason } from './holds.js';

interface FlowEntry {
  readonly flow: Flow;
  /** How many times the flow was added and not yet removed. */
  joins: number;
  release: Release | undefined;
}

/** A flow made of other flows. A hold of the set holds all of them, and also those that join later. */
export class FlowSet implements Flow {
  static {
    markCopy(FlowSet.prototype);
  }

  /** The first flow. Most sets have no other, and need no map. */
  #first: FlowEntry | undefined;
  #others: Map<Flow, FlowEntry> | undefined;
  /** `undefined` until the first hold. */
  #holds: Holds | undefined;

  get size(): number {
    return (this.#first ? 1 : 0) + (this.#others?.size ?? 0);
  }

  /** Whether the values of one of the flows arrive in real time. */
  get isRealTime(): boolean {
    return this.#entries().some(({ flow }) => isOurs(flow) && flow.isRealTime);
  }

  get held(): boolean {
    return this.#holds?.held === true;
  }

  get holds(): readonly string[] {
    return this.#holds?.holds ?? [];
  }

  hold(reason?: Reason): Release {
    this.#holds ??= new Holds((held) => (held ? this.#holdAll() : this.#releaseAll()));
    return this.#holds.hold(reason);
  }

  /** Adds a flow. The returned function removes it, and releases the hold that this set has on it. */
  add(flow: Flow): () => void {
    this.join(flow);
    let joined = true;
    return () => {
      if (joined) this.leave(flow);
      joined = false;
    };
  }

  /** Adds a flow. Each call needs its own `leave`. */
  join(flow: Flow): void {
    let entry = this.#entryOf(flow);
    if (!entry) {
      entry = { flow, joins: 0, release: undefined };
      this.#insert(entry);
      if (this.held) entry.release = this.#holdOne(flow);
    }
    entry.joins++;
  }

  #insert(entry: FlowEntry): void {
    if (this.#first) {
      this.#others ??= new Map();
      this.#others.set(entry.flow, entry);
    } else {
      this.#first = entry;
    }
  }

  /** Removes a flow that has joined, and releases the hold that this set has on it. */
  leave(flow: Flow): void {
    const entry = this.#entryOf(flow);
    if (!entry || --entry.joins > 0) return;
    if (entry === this.#first) this.#first = undefined;
    else this.#others?.delete(flow);
    entry.release?.();
  }

  #entryOf(flow: Flow): FlowEntry | undefined {
    return this.#first?.flow === flow ? this.#first : this.#others?.get(flow);
  }

  #entries(): readonly FlowEntry[] {
    const others = this.#others ? [...this.#others.values()] : [];
    return this.#first ? [this.#first, ...others] : others;
  }

  #holdOne(flow: Flow): Release {
    const reason = () => distinct(this.holds).join(', ');
    return isOurs(flow) ? flow.hold(reason) : flow.hold(reason());
  }

  #holdAll(): void {
    // Not over a copy: a flow may leave while another one is being held.
    if (this.#first) this.#first.release ??= this.#holdOne(this.#first.flow);
    if (this.#others) for (const entry of this.#others.values()) entry.release ??= this.#holdOne(entry.flow);
  }

  #releaseAll(): void {
    for (const entry of this.#entries()) {
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
