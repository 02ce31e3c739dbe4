// The types of a scenario: one job that a baseline and other contenders do, with a peer in a separate process.
import type { Peer, PeerOptions } from './peer.js';

/** What a contender gets for its job. */
export interface Job {
  /** How much to do: bytes, or round trips, as in the scenario. */
  readonly amount: number;
  /** The process at the other end of the connection. */
  readonly peer: Peer;
  /** Another one, if the scenario has a `second`. */
  readonly second: Peer;
  /** The path from the scenario's `fixture`; empty if it has none. */
  readonly path: string;
  /** The program that is compiled from C; `undefined` if there is none. */
  readonly native: string | undefined;
}

/** What one measurement gives. */
export interface Measurement {
  readonly seconds: number;
  /** User and system CPU time of the measured process, without the peer, in seconds. */
  readonly cpu: number;
  /** The largest resident memory, in bytes. */
  readonly rss: number;
  /** 99 of 100 round trips were as fast or faster, in milliseconds, where they are measured. */
  readonly p99?: number;
  /** The resident memory that each connection took, in bytes, where it is measured. */
  readonly each?: number;
}

/**
 * One way to do the job. Resolves when everything is done, and rejects if something is missing. What it returns replaces
 * what was measured of its process.
 */
export type Contender = (job: Job) => Promise<void> | Promise<Partial<Measurement>>;

/** The unit of a column in the table. */
export interface Unit {
  /** Its name in the head of the table. */
  readonly label: string;
  /** How many bytes, or round trips, one unit is. */
  readonly amount: number;
}

/** The ratio to the baseline, or to another contender, that a contender should reach. */
export interface Goal {
  readonly contender: string;
  /** What to compare. @defaultValue `'rate'` */
  readonly of?: 'rate' | 'cpu' | 'rss' | 'p99' | 'each';
  readonly atLeast?: number;
  readonly atMost?: number;
  /** The contender to compare with. @defaultValue the baseline */
  readonly to?: string;
}

export interface Scenario {
  readonly name: string;
  /** One sentence that says what the contenders do. */
  readonly about: string;
  /** How much one measurement does at `--scale 1`: bytes, or round trips. */
  readonly amount: number;
  /** The amount is a multiple of this. @defaultValue 1 */
  readonly step?: number;
  /** The unit of the speed: so much per second. */
  readonly rate: Unit;
  /** The unit of the cost: CPU seconds of the measured process for so much. */
  readonly cost: Unit;
  /** The part of the amount that is done first and not measured, so that the code is compiled. @defaultValue 1/8 */
  readonly warmUp?: number;
  /** The peer for a job of this size. */
  peer?(amount: number): PeerOptions;
  /** Another one: where a forwarder forwards to, or what floods a server. */
  second?(amount: number): PeerOptions;
  /** Creates a file that all measurements share. `remove` deletes it. */
  fixture?(amount: number): Promise<{ readonly path: string; remove(): Promise<void> }>;
  /** The first one is the baseline. */
  readonly contenders: Readonly<Record<string, Contender>>;
  /** By contender: the program that it needs. Without it, and on other systems than Linux, it is left out. */
  readonly needs?: Readonly<Record<string, string>>;
  readonly goals: readonly Goal[];
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

export const MIB = 1024 * 1024;

/** How much a measurement does at this scale. */
export function amountOf({ amount, step = 1 }: Pick<Scenario, 'amount' | 'step'>, scale: number): number {
  return Math.max(1, Math.round((amount * scale) / step)) * step;
}

/** Throws if a contender has not done everything: the speed of a wrong result means nothing. */
export function expectAll(done: number, amount: number, what: string): void {
  if (done !== amount) throw new Error(`Expected ${amount} ${what}, counted ${done}`);
}
