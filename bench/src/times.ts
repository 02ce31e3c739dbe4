// How long each of many round trips took.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

export class Times {
  readonly #histogram: RecordableHistogram = createHistogram();

  /** Adds the time of a round trip, in milliseconds. */
  add(milliseconds: number): void {
    // A histogram has whole numbers from 1 up: nanoseconds.
    this.#histogram.record(Math.max(1, Math.round(milliseconds * 1e6)));
  }

  /** 99 of 100 round trips were as fast or faster, in milliseconds. */
  get p99(): number {
    return this.#histogram.percentile(99) / 1e6;
  }
}
