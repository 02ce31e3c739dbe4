// The type of what is measured at many sizes.
import type { PeerOptions } from '../peer.js';
import type { Job } from '../scenario.js';

/** A job whose cost should grow as its size. */
export interface Subject {
  readonly name: string;
  /** One phrase that says what there are more and more of. */
  readonly about: string;
  /** The smallest size at `--scale 1`. The largest is a thousand times as large. */
  readonly smallest: number;
  peer?(size: number): PeerOptions;
  /** Does the job of a size, and rejects if something is missing. */
  run(job: Pick<Job, 'amount' | 'peer'>): Promise<void>;
}

/** What a job of a size costs. */
export interface Point {
  readonly size: number;
  /** CPU time, in seconds. */
  readonly cpu: number;
}
