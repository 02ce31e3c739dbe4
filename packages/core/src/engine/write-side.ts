// The write side of a connection. It counts bytes, queues what is written before the connection is open, gathers what
// is written in one turn, and settles the promise of every write.
//
//   open ──complete()──▶ completing ──all handed to the kernel, FIN sent──▶ finished
//     └───────────────────────┴── a write failed, or the socket failed ──▶ broken

import process from 'node:process';
import { handled } from '../base/handled.js';
import { clearImmediate, setImmediate } from '../base/real-timers.js';
import { spendTime, spendTurn } from '../base/turn-budget.js';
import type { BudgetShare } from './budget-share.js';
import type { WriteControl } from './control.js';
import { GatheredWrites } from './gathered-writes.js';
import type { SocketLimits } from './limits.js';
import type { NodeStream } from './node-stream.js';
import { WriteReceipts } from './write-receipts.js';

/** What a write side reports to its connection. */
export interface WriteSideHandlers {
  /** Bytes have left. */
  progressed(): void;
  /** All bytes have left, after `write` had returned `false`. */
  drained(): void;
  /** Nothing can be written any more: the state is `broken`. */
  writeBroken(): void;
  /** Whether somebody writes who is told that. */
  readonly isWriting: boolean;
  /** Returns the error of writes to a connection that has closed without a failure. */
  closedError(): unknown;
}

type WriteLimits = Pick<SocketLimits, 'highWaterMark' | 'maxWriteBuffer'>;

/** From this many bytes on, a write is worth a system call of its own. */
const FLUSH_BYTES = 16 * 1024;

/** Flushes what was written in the turn. Not a closure of each turn: many turns have a single small write. */
let endTurn: (side: WriteSide) => void;

export class WriteSide implements WriteControl {
  state: 'open' | 'completing' | 'finished' | 'broken' = 'open';
  /** Whether bytes were lost and nobody waited for them. */
  lostSilently = false;
  /** Why the write side broke; `undefined` if the connection has closed without a failure. */
  #failure: unknown;
  /** `undefined` without a memory budget. */
  share: BudgetShare | undefined;
  readonly #highWaterMark: number;
  readonly #flushBytes: number;
  readonly #handlers: WriteSideHandlers;
  /** What most connections never need is made when something is put into it. */
  #progressListeners: Set<() => void> | undefined;
  #receipts: WriteReceipts | undefined;
  #stream: NodeStream | undefined;
  /** Chunks that the Node stream has not received yet. */
  readonly #gathered = new GatheredWrites();
  /** Bytes accepted and bytes handed to the kernel, counted from the start of the connection. */
  #accepted = 0;
  #left = 0;
  /** The value of `#left` at the last report of progress. */
  #reported = 0;
  #needsDrain = false;
  /** Whether it also waits for the memory budget. */
  #needsBudget = false;
  #ending = false;
  /** Whether the Node stream will report that a write has left. */
  #inFlight = false;
  /** Whether the end of the turn flushes, and reports what has left. */
  #flushPlanned = false;
  /** Goes on in a later turn, because the budget of this one is used up. */
  #nextTurn: NodeJS.Immediate | undefined;

  constructor({ highWaterMark, maxWriteBuffer }: WriteLimits, handlers: WriteSideHandlers) {
    this.#highWaterMark = highWaterMark;
    this.#handlers = handlers;
    this.#flushBytes = Math.min(FLUSH_BYTES, highWaterMark, maxWriteBuffer);
  }

  /** Why the write side broke. */
  get error(): unknown {
    if (this.state === 'broken') this.#failure ??= this.#handlers.closedError();
    return this.#failure;
  }

  /** Whether nothing more will leave. */
  get done(): boolean {
    return this.state === 'finished' || this.state === 'broken';
  }

  /** Whether the kernel has all bytes, and the FIN behind them. What carries the stream may still keep a FIN back. */
  get hasEnded(): boolean {
    return this.done || (this.#ending && this.pending === 0 && this.#stream?.isPlain === true);
  }

  /** How many bytes were handed to the kernel. */
  get written(): number {
    // Negative while the stream still has to send bytes that were written to it before this connection had it.
    return Math.max(0, this.#left);
  }

  /** How many accepted bytes have not left. After a break this number stays. */
  get pending(): number {
    return this.#accepted - this.#left;
  }

  /** Whether a writer was told to wait only because the budget of this turn is used up. */
  get waitsForTurn(): boolean {
    return this.#nextTurn !== undefined && this.pending < this.#highWaterMark && !this.#needsBudget;
  }

  /** Whether a writer was told to wait, and `drain` has not come yet. */
  get waitsForDrain(): boolean {
    return this.#needsDrain;
  }

  /** What waits, as it counts towards `maxWriteBuffer`, in bytes. */
  get cost(): number {
    return this.pending + (this.#receipts?.cost ?? 0);
  }

  /** Accepts bytes. Returns whether there is room for more, and time left in this turn. */
  write(bytes: Uint8Array): boolean {
    if (this.share) this.share.ignoresBudget = this.#needsBudget;
    this.#accepted += bytes.length;
    this.#gathered.push(bytes);
    if (!this.#stream?.isNetSocket || this.#gathered.bytes >= this.#flushBytes) this.#flushIfIdle();
    else this.#planFlush();
    const hasTime = !this.#stream?.isNetSocket || spendTurn(bytes.length);
    if (this.share) this.#charge();
    this.#needsBudget = this.share !== undefined && !this.#isInBudget(bytes.length);
    const hasRoom = !this.#waits(this.#highWaterMark) && hasTime && !this.#needsBudget;
    if (!hasRoom) this.#needsDrain = true;
    if (!hasTime) this.#continueNextTurn();
    return hasRoom;
  }

  /** Whether the memory budget has room for so many bytes. If not, `drain` comes when it has. */
  hasRoomFor(bytes: number): boolean {
    if (!this.share || this.state !== 'open' || this.share.hasRoomFor(bytes)) return true;
    this.#needsDrain = true;
    this.#needsBudget = true;
    // Joins the queue of the budget. If bytes are still to leave, it does so after the last one.
    if (this.pending === 0) this.share.mayDrain();
    return false;
  }

  // To make room, the budget may have failed this socket.
  #isInBudget(length: number): boolean {
    return this.state === 'open' && this.share?.hasRoom(length) === true;
  }

  /**
   * Settles when everything that was accepted so far has left; in a later turn if the budget of this one is used up.
   * You may ignore the promise.
   */
  flushed(): Promise<void> {
    if (this.state === 'broken') return handled(Promise.reject(this.error));
    if (!this.#waits(1) && !this.#nextTurn) return Promise.resolve();
    this.#receipts ??= new WriteReceipts();
    const receipt = this.#receipts.at(this.#accepted);
    this.#charge();
    return receipt;
  }

  /** The connection is open: sends what was gathered. */
  open(stream: NodeStream): void {
    this.#stream = stream;
    this.flush();
    this.#continue();
  }

  /** Hands everything that was gathered to the stream, before anything else is done to the stream. */
  flush(): void {
    this.#flushNow();
    this.#count();
  }

  /** Hands to the kernel what it may take at once. */
  flushIfIdle(): void {
    this.#flushIfIdle();
    this.#charge();
  }

  /** Emits `drain` if nothing waits: the memory budget has room again. */
  writeOn(): void {
    this.#continue();
  }

  // A system call costs more than most chunks do, so what is written in one turn leaves at its end, as one write.
  #planFlush(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    process.nextTick(endTurn, this);
  }

  static {
    endTurn = (side) => {
      side.#flushIfIdle();
      side.#flushPlanned = false;
      if (side.#left > side.#reported) side.#goOn();
    };
  }

  // While the kernel does not take what it was given, chunks wait here and not in the stream: here small ones are
  // joined, so that they cost no more memory than their bytes.
  #flushIfIdle(): void {
    if (!this.#inFlight || this.#stream?.pending === 0) this.#flushNow();
  }

  #flushNow(): void {
    if (this.#gathered.bytes === 0 || !this.#stream || this.#stream.destroyed) return;
    const pending = this.#stream.write(this.#gathered.take());
    this.#count(pending);
    if (pending > 0) this.#inFlight = true;
    else this.#planFlush();
  }

  /** Sends FIN when everything has left. */
  complete(): void {
    if (this.state !== 'open') return;
    this.state = 'completing';
    this.#flushNow();
    // A writer that waits for the budget learns that it is too late.
    if (this.#needsBudget) this.#continue();
    this.#sendFin();
  }

  /** The stream has handed the bytes of a write to the kernel. */
  wrote(): void {
    this.#inFlight = this.#stream !== undefined && this.#stream.pending > 0;
    this.#goOn();
  }

  #goOn(): void {
    if (this.#stream?.isNetSocket && !spendTime()) this.#continueNextTurn();
    else this.#continue();
  }

  #continueNextTurn(): void {
    this.#nextTurn ??= setImmediate(() => {
      this.#nextTurn = undefined;
      this.#flushIfIdle();
      this.#continue();
    });
  }

  /** Reports what has left, and writes on. */
  #continue(): void {
    if (this.state === 'broken' || !this.#stream || this.#stream.destroyed) return;
    this.#count();
    this.#receipts?.settle(this.#left);
    if (this.#left > this.#reported || this.pending === 0) {
      this.#reported = this.#left;
      this.#handlers.progressed();
      if (this.#progressListeners) for (const listener of [...this.#progressListeners]) listener();
    }
    this.#charge();
    if (this.#needsDrain && this.pending === 0 && !this.#nextTurn && this.#mayDrain) {
      this.#needsDrain = false;
      this.#needsBudget = false;
      this.#handlers.drained();
    }
    this.#flushIfIdle();
    this.#sendFin();
  }

  get #mayDrain(): boolean {
    return this.share === undefined || this.state !== 'open' || this.share.mayDrain();
  }

  /** FIN was sent, perhaps by code that had the stream before. */
  finished(): void {
    if (this.state === 'broken') return;
    this.state = 'finished';
    this.#count();
  }

  /**
   * Nothing can be written any more: rejects all promises and notifies the listeners.
   * @param error `undefined` if the connection has closed without a failure.
   */
  break(error: unknown): void {
    if (this.state === 'broken') return;
    this.#flushNow();
    this.#count();
    this.#receipts?.settle(this.#left);
    if (this.#nextTurn) clearImmediate(this.#nextTurn);
    const finished = this.state === 'finished';
    this.state = finished ? 'finished' : 'broken';
    this.#failure = error;
    const isAwaited = this.#receipts?.isEmpty === false || this.#handlers.isWriting;
    this.lostSilently = this.pending > 0 && !isAwaited;
    this.#gathered.clear();
    const receipts = this.#receipts;
    this.#receipts = undefined;
    this.#charge();
    receipts?.reject(this.error);
    if (!finished) this.#handlers.writeBroken();
  }

  /** Calls `listener` whenever bytes have left. The returned function removes it. */
  onProgress(listener: () => void): () => void {
    this.#progressListeners ??= new Set();
    this.#progressListeners.add(listener);
    return () => this.#progressListeners?.delete(listener);
  }

  /** Reports to the memory budget what this side keeps. */
  #charge(): void {
    this.share?.setWritten(this.state === 'broken' ? 0 : this.cost);
  }

  #count(inStream = this.#stream?.pending ?? 0): void {
    // A destroyed stream counts dropped bytes as written.
    if (!this.#stream || this.#stream.destroyed) return;
    this.#left = this.#accepted - this.#gathered.bytes - inStream;
  }

  // Nobody reports when bytes have left that the stream had before this connection had it, unless others are behind them.
  // So nothing waits for them here. FIN can wait behind them in the stream.
  #waits(bytes: number): boolean {
    return this.#accepted > 0 && this.pending >= bytes;
  }

  #sendFin(): void {
    if (this.state !== 'completing' || this.#ending || !this.#stream || this.#waits(1)) return;
    this.#ending = true;
    this.#stream.end();
  }
}
