// The two ends of a hold. `Holds` counts the holds on a source. `Brake` is the single hold of a consumer.
import type { SchedulerLike } from 'rxjs';
import { NEXT_TURN } from '../base/turn-budget.js';
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

/** Is notified of the first hold and of the last release. A socket is one itself, so that it needs no function. */
export type HoldsOwner = { heldChanged(held: boolean): void } | ((held: boolean) => void);

/** Leads from an operator to the consumer that it waits for. */
const ARROW = ' ← ';

/** One hold in force on a socket. */
export interface Holder {
  /** The name of the holder, as in `holds`. */
  readonly reason: string;
  /** When the hold began, in milliseconds since the epoch of the scheduler's clock, as `openedAt`. */
  readonly since: number;
  /** The call that took the hold, and its callers: only if `traceHolds()` was on. */
  readonly stack: string | undefined;
}

interface Token {
  readonly reason: Reason;
  readonly since: number | undefined;
  readonly stack: string | undefined;
}

/** How many calls of {@link traceHolds} are in force. */
let tracing = 0;

/**
 * Records the stack of every hold that is taken on a socket from now on: `socket.holders`, `snapshot()` and the message
 * of a `holdTimeout` then show the code that holds. It makes a hold about ten times as slow: for debugging.
 *
 * @returns A function that turns it off again.
 * @example
 * ```ts
 * import { connect } from '@rxsock/core';
 * import { traceHolds } from '@rxsock/core/diagnostics';
 *
 * traceHolds();
 * const socket = connect({ port: 7000 });
 * socket.hold('lunch');
 * console.log(socket.holders[0]?.stack); // at the line above
 * ```
 */
export function traceHolds(): () => void {
  let on = true;
  tracing++;
  return () => {
    if (on) tracing--;
    on = false;
  };
}

/** The stack of the code that calls `hold`. A consumer lies behind many frames of operators. */
function stackOf(hold: (...args: never[]) => unknown): string | undefined {
  const trace: { stack?: string } = {};
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Math.max(stackTraceLimit ?? 0, 50);
  Error.captureStackTrace(trace, hold);
  Error.stackTraceLimit = stackTraceLimit;
  return trace.stack?.replace(/^.*\n/, '');
}

/**
 * The reason of an operator that holds its source because its own consumers hold it: the path to them, as in `lines ←
 * mapWithBackpressure`. Empty if they only wait for the next turn.
 */
export function pathTo(holds: Holds, operator: string): string {
  const names = distinct(holds.holds).filter((name) => name !== NEXT_TURN);
  return names.map((name) => `${operator}${ARROW}${name}`).join(', ');
}

/** Each holder once, by its longest path: a consumer may hold a source in several ways. */
export function distinct(names: readonly string[]): readonly string[] {
  const ends = new Set<string>();
  for (const name of names) {
    for (let at = name.indexOf(ARROW); at >= 0; at = name.indexOf(ARROW, at + 1))
      ends.add(name.slice(at + ARROW.length));
  }
  return [...new Set(names)].filter((name) => !ends.has(name));
}

/** Counts and names the holds on a source, and notifies it of the first hold and of the last release. */
export class Holds implements Flow {
  /** `undefined` until the first hold: most sockets are never held. */
  #tokens: Set<Token> | undefined;
  readonly #owner: HoldsOwner;
  /** Whether the values arrive in real time. If so, a consumer may process them in several turns of the event loop. */
  isRealTime: boolean;
  /** Are called at every hold and release. `undefined` until the first one: most sockets have none. */
  #listeners: Set<() => void> | undefined;
  /** The clock of the holds. `undefined` where nobody asks how long a hold lasts. */
  readonly #clock: Pick<SchedulerLike, 'now'> | undefined;

  constructor(owner: HoldsOwner, isRealTime = false, clock?: Pick<SchedulerLike, 'now'>) {
    this.#owner = owner;
    this.isRealTime = isRealTime;
    this.#clock = clock;
  }

  get held(): boolean {
    return this.#tokens !== undefined && this.#tokens.size > 0;
  }

  get holds(): readonly string[] {
    return [...(this.#tokens ?? [])].map(nameOf);
  }

  /** The holds in force, of a source with a clock. */
  get holders(): readonly Holder[] {
    return [...(this.#tokens ?? [])].map((token) => ({
      reason: nameOf(token),
      since: token.since ?? 0,
      stack: token.stack,
    }));
  }

  /**
   * The holders in words, for the message of a hold that has lasted so many milliseconds. Each comes with its age if it
   * came later than the first, and with its stack if it was traced.
   */
  describe(milliseconds: number): string {
    const now = this.#clock?.now() ?? 0;
    return this.holders
      .map(({ reason, since, stack }) => {
        const age = Math.round(now - since);
        // A timer may be some milliseconds early.
        const isLater = milliseconds - age > 10;
        return `${reason}${isLater ? ` (for ${age} ms)` : ''}${stack ? `, taken\n${stack}\n` : ''}`;
      })
      .join(', ');
  }

  /** Whether all holds end by themselves in the next turn. */
  get endsNextTurn(): boolean {
    return this.held && this.holds.every((reason) => reason === NEXT_TURN);
  }

  hold(reason: Reason = 'hold'): Release {
    const clock = this.#clock;
    const stack = clock && tracing > 0 ? stackOf(this.hold) : undefined;
    const token = { reason, since: clock?.now(), stack };
    this.#tokens ??= new Set();
    const tokens = this.#tokens.add(token);
    this.#changed();
    if (tokens.size === 1) this.#notify(true);
    const release = () => {
      if (!tokens.delete(token)) return;
      // Before anything is delivered.
      this.#changed();
      if (tokens.size === 0) this.#notify(false);
    };
    return Object.assign(release, { [Symbol.dispose]: release });
  }

  /**
   * Whether somebody holds for longer than until the next turn: then this side is late and not the peer, and limits on
   * the peer stand still.
   */
  get delays(): boolean {
    return this.held && !this.endsNextTurn;
  }

  /** Calls `listener` at every hold and release, whoever holds. The returned function removes it. */
  onChange(listener: () => void): () => void {
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
    return () => this.#listeners?.delete(listener);
  }

  #changed(): void {
    if (this.#listeners) for (const listener of [...this.#listeners]) listener();
  }

  #notify(held: boolean): void {
    if (typeof this.#owner === 'function') this.#owner(held);
    else this.#owner.heldChanged(held);
  }
}

function nameOf({ reason }: Token): string {
  // JavaScript may have passed anything.
  return typeof reason === 'function' ? reason() : String(reason);
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
