// Accounts for every byte that the client of `reconnect` has sent: it has arrived, or the client was told that it is
// lost, or it was on its way when its connection failed.
import type { CloseReport } from '@rxsock/core';
import type { Findings } from '../findings.js';
import type { MessageReader } from './messages.js';

export class Ledger {
  /** In bytes. */
  sent = 0;
  arrived = 0;
  /** On their way when a connection failed: only the server could know of them. Less those that `unsent` counts too. */
  inTransit = 0;
  /** Reported as `bytesUnsent`. */
  unsent = 0;
  /** Reported by `overflow` events. */
  dropped = 0;
  readonly #findings: Findings;
  readonly #connections: { readonly report: CloseReport; readonly messages: MessageReader | undefined }[] = [];

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** A connection of the client has ended. What it has sent may still be on its way. */
  ended(report: CloseReport, messages: MessageReader | undefined): void {
    this.#connections.push({ report, messages });
  }

  /** Nothing waits any more, and nothing is on its way. */
  close(): void {
    let last = -1;
    for (const { report, messages } of this.#connections) {
      this.#account(report, messages?.received ?? 0);
      if (messages?.first !== undefined && messages.first <= last)
        this.#findings.violation('a message was sent over two connections, or out of order');
      last = messages?.last ?? last;
    }
    const { sent, arrived, inTransit, unsent, dropped } = this;
    if (sent !== arrived + inTransit + unsent + dropped) this.#findings.violation('bytes were lost silently');
    for (const [name, bytes] of Object.entries({ sent, arrived, 'in transit': inTransit, unsent, dropped }))
      this.#findings.count(`bytes ${name}`, bytes);
  }

  #account({ how, bytesWritten, bytesUnsent }: CloseReport, received: number): void {
    this.arrived += received;
    this.unsent += bytesUnsent;
    this.inTransit += bytesWritten - received;
    // bytesUnsent is an upper bound: some of these bytes may have arrived.
    if (received > bytesWritten + bytesUnsent) this.#findings.violation('more bytes arrived than were written');
    if (how === 'fin' && received < bytesWritten + bytesUnsent)
      this.#findings.violation('bytes were lost although both sides ended with FIN');
  }
}
