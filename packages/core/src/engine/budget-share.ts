// What one socket has of a memory budget: the two numbers that it keeps, and whether it may go on. Without a budget
// there is no share.

import type { Budget, BudgetedSocket, BudgetMember } from './budget.js';
import type { SocketLimits } from './limits.js';

/** A side of a connection, which reports to the share what it keeps. */
interface Side {
  share: BudgetShare | undefined;
}

/** What a budget may ask of a connection. */
export interface BudgetedConnection {
  readonly writeSide: Side & Pick<BudgetedSocket, 'writeOn'> & { flushIfIdle(): void };
  /** Its writes do not fit into a budget of so many bytes. */
  overBudget(limit: number): void;
  stopReading(): void;
  readOn(): void;
}

/** Gives both sides of a connection their share. Returns `undefined` without a budget. */
export function joinBudget(
  { budget }: SocketLimits,
  connection: BudgetedConnection,
  readSide: Side,
): BudgetShare | undefined {
  if (!budget) return undefined;
  const { writeSide } = connection;
  const share = new BudgetShare(budget, {
    flush: () => writeSide.flushIfIdle(),
    fail: () => connection.overBudget(budget.limit),
    stopReading: () => connection.stopReading(),
    readOn: () => connection.readOn(),
    writeOn: () => writeSide.writeOn(),
  });
  writeSide.share = share;
  readSide.share = share;
  return share;
}

export class BudgetShare implements BudgetMember {
  need = 0;
  written = 0;
  ignoresBudget = false;
  reading: BudgetMember['reading'] = 'taken';
  readonly socket: BudgetedSocket;
  readonly #budget: Budget;
  /** The received bytes that are charged now. */
  #received = 0;
  #closed = false;

  constructor(budget: Budget, socket: BudgetedSocket) {
    this.#budget = budget;
    this.socket = socket;
  }

  /** So many received bytes wait to be delivered. */
  setReceived(bytes: number): void {
    const change = bytes - this.#received;
    if (change === 0 || this.#closed) return;
    this.#received = bytes;
    this.#budget.chargeReceived(change);
  }

  /** So much waits to be written. If that is more than the budget has, a socket fails: perhaps this one. */
  setWritten(bytes: number): void {
    const change = bytes - this.written;
    if (change === 0 || this.#closed) return;
    this.written = bytes;
    this.#budget.rank(this);
    this.#budget.charge(change);
    if (change > 0) this.#budget.makeRoom(this);
  }

  /** Returns whether a chunk of so many bytes may be written. If not, the socket waits for `drain`. */
  hasRoomFor(bytes: number): boolean {
    if (this.#budget.hasRoomFor(bytes)) return true;
    this.need = bytes;
    return false;
  }

  /**
   * Returns whether the socket may write on after a chunk. If not, it waits for `drain`.
   * @param bytes The length of the chunk. The kernel may not take the next one, which probably is as long.
   */
  hasRoom(bytes: number): boolean {
    this.need = bytes;
    return this.#budget.allowsWrite(Math.max(this.written, bytes));
  }

  /** All bytes have left. Returns whether to emit `drain` now. If not, `writeOn` is called later. */
  mayDrain(): boolean {
    if (this.#closed) return false;
    const may = this.#budget.allowsWrite(this.need);
    if (!may) this.#budget.wait(this);
    return may;
  }

  /**
   * Returns whether the socket may read. If not, `readOn` is called later.
   * @param ahead Whether nobody takes what arrives.
   */
  mayRead(ahead: boolean): boolean {
    const may = !ahead || this.#budget.allowsRead(this.#received);
    if (!this.#closed) this.#budget.setReading(this, ahead ? (may ? 'ahead' : 'stopped') : 'taken');
    return may;
  }

  /** The socket has closed: it gives everything back. */
  close(): void {
    this.setReceived(0);
    this.setWritten(0);
    this.#closed = true;
    this.#budget.leave(this);
  }
}
