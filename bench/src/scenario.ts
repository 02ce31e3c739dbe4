// What a scenario is: one job, done by a baseline and by contenders, against a peer in a process of its own.
import type { Peer, PeerOptions } from './peer.js';

/** What every contender of a scenario gets to do its job with. */
export interface Job {
  /** How much is to be done, in the scenario's `amount`s. */
  readonly amount: number;
  /** The process at the other end of the wire. */
  readonly peer: Peer;
  /** The path that the scenario's `fixture` made; empty where it has none. */
  readonly path: string;
}

/** One way to do the job. It resolves when all is done, and throws unless all was: a wrong answer has no speed. */
export type Contender = (job: Job) => Promise<void>;

/** How a number of `amount`s a second, or CPU seconds an `amount`, is shown. */
export interface Scale {
  /** The unit in the table's head. */
  readonly unit: string;
  /** How many `amount`s one of them is. */
  readonly of: number;
}

export interface Scenario {
  readonly name: string;
  /** One sentence: what is done. */
  readonly about: string;
  /** How much a measurement does, before `--scale`: bytes, or round trips. */
  readonly amount: number;
  readonly rate: Scale;
  /** CPU time of the measured process. */
  readonly cost: Scale;
  /** The peer for a job of this size. */
  peer(amount: number): PeerOptions;
  /** Makes what all measurements share; the returned function removes it. */
  fixture?(amount: number): Promise<{ readonly path: string; remove(): Promise<void> }>;
  /** The first one is the baseline. */
  readonly contenders: Readonly<Record<string, Contender>>;
  /** The ratio to the baseline that a contender is to reach. */
  readonly aims: Readonly<Record<string, number>>;
}

/** For jobs that are counted in bytes. */
export const BYTES = {
  rate: { unit: 'MB/s', of: 1e6 },
  cost: { unit: 'CPU-s/GB', of: 1e9 },
} as const;

/** For jobs that are counted in round trips. */
export const ROUND_TRIPS = {
  rate: { unit: 'round trips/s', of: 1 },
  cost: { unit: 'CPU-s/million', of: 1e6 },
} as const;

/** Throws unless all of it was done. */
export function expectAll(done: number, amount: number, what: string): void {
  if (done !== amount) throw new Error(`${done} ${what} came out, not ${amount}`);
}
