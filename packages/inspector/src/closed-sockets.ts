// The last sockets that have closed. Only their facts are kept, so that the sockets can be collected.
import type { CloseReport, SocketError } from '@rxsock/core';
import { describeError } from './describe-error.js';
import type { ClosedRow, EndReport, SocketDetails } from './messages.js';
import type { SocketRecord } from './socket-record.js';

/** How many are kept. */
const MOST = 200;

interface ClosedSocket {
  readonly record: SocketRecord;
  readonly end: EndReport;
}

export class ClosedSockets {
  readonly #all: ClosedSocket[] = [];

  /** @param report What the socket says about its end. A datagram socket has none: its counters are elsewhere. */
  add(record: SocketRecord, report: Partial<CloseReport>, error: SocketError | undefined): void {
    record.end();
    const { bytesRead = 0, bytesWritten = 0, openedAt } = record.socket;
    const closedAt = Date.now();
    const end: EndReport = {
      closedAt,
      by: report.by ?? 'local',
      how: report.how ?? (error ? 'error' : 'closed'),
      bytesRead: report.bytesRead ?? bytesRead,
      bytesWritten: report.bytesWritten ?? bytesWritten,
      bytesUnsent: report.bytesUnsent ?? 0,
      duration: report.duration ?? (openedAt === undefined ? 0 : closedAt - openedAt),
      error: error ? describeError(error) : '',
    };
    this.#all.push({ record, end });
    if (this.#all.length > MOST) this.#all.shift();
  }

  find(id: number): SocketDetails | undefined {
    const found = this.#all.find(({ record }) => record.socket.id === id);
    return found && { ...found.record.details, end: found.end };
  }

  /** The newest first. */
  rows(most: number): ClosedRow[] {
    return this.#all
      .slice(-most)
      .reverse()
      .map(({ record, end }) => {
        const { id, name, type, remote } = record.row;
        return { id, name, type, remote, ...end };
      });
  }
}
