// Why and how a connection ends: the first failure counts, and what has come before any counts if there is none.
import type { SocketError } from '../base/errors.js';
import type { CloseReport } from '../base/events.js';
import { guarded } from '../base/guarded.js';

type Verdict = Pick<CloseReport, 'by' | 'how'>;

export class Outcome {
  /** What it failed with. */
  failure: SocketError | undefined;
  /** Set at the end. */
  report: CloseReport | undefined;
  #verdict: Verdict | undefined;
  readonly #acts: ((report: CloseReport) => void)[] = [];

  get how(): Verdict['how'] | undefined {
    return this.#verdict?.how;
  }

  /** It ends in this way, unless another one was first. */
  endedBy(by: Verdict['by'], how: Verdict['how']): void {
    this.#verdict ??= { by, how };
  }

  /** It fails; answers whether it had not before. */
  failWith(error: SocketError, by: Verdict['by'], how: Verdict['how']): boolean {
    if (this.failure) return false;
    this.failure = error;
    this.#verdict = { by, how };
    return true;
  }

  /** It is over. */
  conclude(counts: Omit<CloseReport, 'by' | 'how'>): CloseReport {
    this.report = { ...(this.#verdict ?? { by: 'local', how: 'abort' }), ...counts };
    return this.report;
  }

  /** Calls `act` when all have been told the end; at once if it is over. */
  afterClose(act: (report: CloseReport) => void): void {
    if (this.report) act(this.report);
    else this.#acts.push(act);
  }

  /** All have been told. */
  notifyClosed(): void {
    const { report } = this;
    if (report) for (const act of this.#acts) guarded(() => act(report));
  }
}
