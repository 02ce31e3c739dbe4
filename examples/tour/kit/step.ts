// What the steps of the tour, the screen and the runner have in common.
import type { Outcome } from './outcome.js';

/** A step of the tour. */
export interface Step {
  /** A few words for the table. */
  readonly name: string;
  /** One sentence that says what the step shows. */
  readonly shows: string;
  /** The path of its source. */
  readonly source: string;
  /** Runs the step. `earlier` holds the results of the steps before it. */
  run(stage: Stage, earlier: readonly Result[]): Promise<Outcome>;
}

/** How a step ended: with an outcome, or with the error that it threw. */
export interface Result {
  readonly step: Step;
  readonly passed: boolean;
  readonly outcome?: Outcome;
  readonly error?: unknown;
}

/** Where a step shows its progress. */
export interface Stage {
  /** Adds a bar, until the step ends. */
  bar(label: string, total: number): Bar;
}

/** A progress bar. */
export interface Bar {
  update(bytes: number): void;
}
