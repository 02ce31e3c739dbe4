// The types that the steps of the tour, the screen and the runner share.
import type { Outcome } from './outcome.js';

/** A step of the tour. */
export interface Step {
  /** A few words for the table. */
  readonly name: string;
  /** A sentence that says what the step shows. */
  readonly shows: string;
  /** The path of its source. */
  readonly source: string;
  /** Runs the step. `earlier` has the results of the steps before it. */
  run(progress: Progress, earlier: readonly StepResult[]): Promise<Outcome>;
}

/** How a step ended: with an outcome, or with the error that it threw. */
export interface StepResult {
  readonly step: Step;
  readonly passed: boolean;
  readonly outcome?: Outcome;
  readonly error?: unknown;
}

/** Where a step shows its progress. */
export interface Progress {
  /** Adds a progress bar, which stays until the step ends. */
  bar(label: string, totalBytes: number): ProgressBar;
}

export interface ProgressBar {
  /** @param bytes How many bytes are done. */
  update(bytes: number): void;
}
