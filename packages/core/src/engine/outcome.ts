// How a connection ends, and why. The first failure decides; without a failure, whatever ended the connection first.
import type { SocketError } from '../base/errors.js';
import type { CloseReport } from '../base/events.js';
import { guarded } from '../base/guarded.js';

type Verdict = Pick<CloseReport, 'by' | 'how'>;

export class Outcome {
  failure: SocketError | undefined;
  /** Set when the connection has closed. */
  report: CloseReport | undefined;
  #verdict: Verdict | undefined;
  readonly #listeners: ((report: CloseReport) => void)[] = [];

  get how(): Verdict['how'] | undefined {
    return this.#verdict?.how;
  }

  /** Records what ended the connection, unless something else was first. */
  endedBy(by: Verdict['by'], how: Verdict['how']): void {
    this.#verdict ??= { by, how };
  }

  /** Records a failure. Returns `false` if another failure was first. */
  failWith(error: SocketError, by: Verdict['by'], how: Verdict['how']): boolean {
    if (this.failure) return false;
    this.failure = error;
    this.#verdict = { by, how };
    return true;
  }

  /** Makes the report. */
  conclude(counts: Omit<CloseReport, 'by' | 'how'>): CloseReport {
    this.report = { ...(this.#verdict ?? { by: 'local', how: 'abort' }), ...counts };
    return this.report;
  }

  /** Calls `listener` after all subscribers have received the end; at once if the connection has closed. */
  afterClose(listener: (report: CloseReport) => void): void {
    if (this.report) listener(this.report);
    else this.#listeners.push(listener);
  }

  /** Calls the listeners: all subscribers have received the end. */
  notifyClosed(): void {
    const { report } = this;
    if (report) for (const listener of this.#listeners) guarded(() => listener(report));
  }
}
