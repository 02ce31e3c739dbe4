// How a connection ends, and why. The first failure decides; without a failure, whatever ended the connection first.
import type { SocketError } from '../base/errors.js';
import type { CloseReport } from '../base/events.js';
import { guarded } from '../base/guarded.js';

type Verdict = Pick<CloseReport, 'by' | 'how'>;

/** Is called after all subscribers have received the end. */
export type CloseListener = { connectionClosed(report: CloseReport): void } | ((report: CloseReport) => void);

const ABORTED: Verdict = { by: 'local', how: 'abort' };

export class Outcome {
  failure: SocketError | undefined;
  /** Set when the connection has closed. */
  report: CloseReport | undefined;
  #verdict: Verdict | undefined;
  /** Most connections have one listener or two. A list would reserve places for sixteen. */
  #listener: CloseListener | undefined;
  #others: readonly CloseListener[] | undefined;

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
  conclude({ bytesRead, bytesWritten, bytesUnsent, duration }: Omit<CloseReport, 'by' | 'how'>): CloseReport {
    const { by, how } = this.#verdict ?? ABORTED;
    this.report = { by, how, bytesRead, bytesWritten, bytesUnsent, duration };
    return this.report;
  }

  /** Calls `listener` after all subscribers have received the end; at once if the connection has closed. */
  afterClose(listener: CloseListener): void {
    if (this.report) call(listener, this.report);
    else if (!this.#listener) this.#listener = listener;
    else this.#others = this.#others ? [...this.#others, listener] : [listener];
  }

  /** Calls the listeners: all subscribers have received the end. */
  notifyClosed(): void {
    const { report } = this;
    if (!report) return;
    const listener = this.#listener;
    if (listener) guarded(() => call(listener, report));
    for (const other of this.#others ?? []) guarded(() => call(other, report));
  }
}

function call(listener: CloseListener, report: CloseReport): void {
  if (typeof listener === 'function') listener(report);
  else listener.connectionClosed(report);
}
