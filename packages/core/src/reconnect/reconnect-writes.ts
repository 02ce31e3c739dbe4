// The write side of a reconnecting link: what waits while there is no connection, and what is given to the one there is.
// What was given to a connection is never given to another: nobody can know how much of it the peer has read.
import { WriteBufferOverflowError } from '../base/errors.js';
import { connectionOf, type Socket } from '../socket.js';
import { PendingWrites, type Receipt } from './pending-writes.js';
import type { ReconnectLimits } from './reconnect-options.js';

/** Where `next()` begins to answer `false` while there is no connection, in bytes. */
const HIGH_WATER_MARK = 65_536;

/** What an outbox tells its link. */
export interface ReconnectWritesHandlers {
  /** After `write` had answered `false`: there is room again. */
  drained(): void;
  /** All was given to the connection. */
  emptied(): void;
  /** Bytes were dropped, and their writer does not hear of it. */
  dropped(bytes: number): void;
  /** Bytes were refused, and their writer does not hear of it. */
  overflowed(error: WriteBufferOverflowError): void;
}

export class ReconnectWrites {
  readonly #limits: ReconnectLimits;
  readonly #handlers: ReconnectWritesHandlers;
  readonly #waiting = new PendingWrites();
  #socket: Socket | undefined;
  #first = false;
  #clogged = false;

  constructor(limits: ReconnectLimits, handlers: ReconnectWritesHandlers) {
    this.#limits = limits;
    this.#handlers = handlers;
  }

  /** Whether nothing waits for a connection. */
  get empty(): boolean {
    return this.#waiting.empty;
  }

  /** Bytes that have not been handed to the kernel. */
  get pending(): number {
    return this.#waiting.bytes + (this.#socket?.writableLength ?? 0);
  }

  /** There is a connection. `greet` tells of it: what is written meanwhile goes ahead of what has waited. */
  open(socket: Socket, greet: () => void): void {
    this.#socket = socket;
    this.#first = true;
    greet();
    this.#first = false;
    this.feed();
  }

  /** The connection is gone, and with it what it was given. */
  close(): void {
    this.#socket = undefined;
  }

  /** Takes bytes; answers whether there is room for more. */
  write(bytes: Uint8Array, receipt?: Receipt): boolean {
    const room = this.#first || this.empty ? this.#give(bytes, receipt) : undefined;
    if (room !== undefined) return this.#note(room);
    if (this.pending > this.#limits.maxWriteBuffer && !this.#makeRoom(bytes, receipt)) return this.#note(false);
    this.#waiting.push({ bytes, receipt });
    return this.#note(this.#waiting.bytes < HIGH_WATER_MARK);
  }

  /** Gives the connection what waits, for as long as it has room. @param all Also when it has none. */
  feed(all = false): void {
    while (!this.empty && this.#takes && (all || this.#roomy)) {
      const write = this.#waiting.shift();
      if (write) this.#give(write.bytes, write.receipt, true);
    }
    if (!this.empty) return;
    this.#handlers.emptied();
    if (!this.#clogged || !this.#takes || !this.#roomy) return;
    this.#clogged = false;
    this.#handlers.drained();
  }

  /** Drops what waits; answers how many bytes nobody hears of. */
  drop(error: unknown): number {
    return this.#waiting.drop(error);
  }

  /** Whether there is a connection that still takes bytes. */
  get #takes(): boolean {
    return this.#socket !== undefined && connectionOf(this.#socket).writeSide.state === 'open';
  }

  get #roomy(): boolean {
    const socket = this.#socket;
    return socket !== undefined && socket.writableLength < connectionOf(socket).limits.highWaterMark;
  }

  /** Gives bytes to the connection; answers its answer, or `undefined` if it does not take them now. */
  #give(bytes: Uint8Array, receipt: Receipt | undefined, anyway = this.#first): boolean | undefined {
    if (!this.#socket || !this.#takes || !(anyway || this.#roomy)) return undefined;
    const room = this.#socket.next(bytes);
    if (receipt) connectionOf(this.#socket).writeSide.flushed().then(receipt.resolve, receipt.reject);
    return room;
  }

  #note(room: boolean): boolean {
    if (!room) this.#clogged = true;
    return room;
  }

  /** Answers whether the bytes may be taken now. */
  #makeRoom(bytes: Uint8Array, receipt: Receipt | undefined): boolean {
    const { overflow, maxWriteBuffer: limit } = this.#limits;
    const message =
      `${this.pending} bytes wait for a connection, over maxWriteBuffer (${limit}): stop when next() answers false and ` +
      `go on at 'drain', or choose an overflow policy`;
    const error = new WriteBufferOverflowError(message, { phase: 'write', limit });
    if (overflow === 'dropOldest') {
      while (!this.empty && this.pending > limit) {
        const oldest = this.#waiting.shift();
        if (oldest) this.#refuse(oldest.bytes, oldest.receipt, error);
      }
      return true;
    }
    this.#refuse(bytes, receipt, error);
    return false;
  }

  #refuse(bytes: Uint8Array, receipt: Receipt | undefined, error: WriteBufferOverflowError): void {
    if (receipt) receipt.reject(error);
    else if (this.#limits.overflow === 'error') this.#handlers.overflowed(error);
    else this.#handlers.dropped(bytes.length);
  }
}
