// What a scenario is. main.ts lists the scenarios.
import type { ProcessReport } from './process-report.js';

/** How large one run is, and from which seed it takes its random choices. */
export interface RunOptions {
  /** Multiplies what the scenario does. 1 is the full run. */
  readonly scale: number;
  readonly seed: number;
}

export interface Scenario {
  readonly name: string;
  /** What it does at scale 1. */
  readonly about: string;
  /** Runs it, in parts. Yields the reports of the processes that took part in each. */
  run(options: RunOptions): AsyncIterable<readonly ProcessReport[]>;
}

/** Thrown when this machine cannot run a scenario at this scale. The message says what to change. */
export class MachineLimitError extends Error {}

/** Returns the scaled count of something, at least 1. */
export const scaled = (count: number, scale: number): number => Math.max(1, Math.round(count * scale));
