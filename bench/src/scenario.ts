// The types of a scenario: one job that a baseline and other contenders do, with a peer in a separate process.
import type { Peer, PeerOptions } from './peer.js';

/** What a contender gets for its job. */
export interface Job {
  /** How much to do: bytes, or round trips, as in the scenario. */
  readonly amount: number;
  /** The process at the other end of the connection. */
  readonly peer: Peer;
  /** The path from the scenario's `fixture`; empty if it has none. */
  readonly path: string;
}

/** One way to do the job. Resolves when everything is done, and rejects if something is missing. */
export type Contender = (job: Job) => Promise<void>;

/** The unit of a column in the table. */
export interface Unit {
  /** Its name in the head of the table. */
  readonly label: string;
  /** How many bytes, or round trips, one unit is. */
  readonly amount: number;
}

export interface Scenario {
  readonly name: string;
  /** One sentence that says what the contenders do. */
  readonly about: string;
  /** How much one measurement does at `--scale 1`: bytes, or round trips. */
  readonly amount: number;
  /** The unit of the speed: so much per second. */
  readonly rate: Unit;
  /** The unit of the cost: CPU seconds of the measured process for so much. */
  readonly cost: Unit;
  /** The peer for a job of this size. */
  peer(amount: number): PeerOptions;
  /** Creates a file that all measurements share. `remove` deletes it. */
  fixture?(amount: number): Promise<{ readonly path: string; remove(): Promise<void> }>;
  /** The first one is the baseline. */
  readonly contenders: Readonly<Record<string, Contender>>;
  /** The ratio to the baseline that a contender should reach. */
  readonly aims: Readonly<Record<string, number>>;
}

/** The units of jobs that are counted in bytes. */
export const BYTES = {
  rate: { label: 'MB/s', amount: 1e6 },
  cost: { label: 'CPU-s/GB', amount: 1e9 },
} as const;

/** The units of jobs that are counted in round trips. */
export const ROUND_TRIPS = {
  rate: { label: 'round trips/s', amount: 1 },
  cost: { label: 'CPU-s/million', amount: 1e6 },
} as const;

/** Throws if a contender has not done everything: the speed of a wrong result means nothing. */
export function expectAll(done: number, amount: number, what: string): void {
  if (done !== amount) throw new Error(`Expected ${amount} ${what}, counted ${done}`);
}
