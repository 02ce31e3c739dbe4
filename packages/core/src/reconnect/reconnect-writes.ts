// The write side of a reconnecting socket: the chunks that wait for a connection, and those handed to the current one.
// A chunk that was handed to a connection is never handed to another: nobody knows how much of it the peer has read.
import { WriteBufferOverflowError } from '../base/errors.js';
import { controlOf, type Socket } from '../socket.js';
import { type PendingWrite, PendingWrites, type WriteCallbacks } from './pending-writes.js';
import type { ReconnectLimits } from './reconnect-options.js';

/** The number of waiting bytes from which `next()` returns `false` while there is no connection. */
const HIGH_WATER_MARK = 65_536;

/** What the write side reports to the reconnecting socket. */
export interface ReconnectWritesHandlers {
  /** There is room again after `write` returned `false`. */
  onDrain(): void;
  /** Nothing waits: everything was handed to the connection. */
  onEmpty(): void;
  /** Bytes from `next()` were dropped. */
  onDrop(bytes: number): void;
  /** Bytes from `next()` were refused, and `overflow` is `error`. */
  onOverflow(error: WriteBufferOverflowError): void;
}

export class ReconnectWrites {
  readonly #limits: ReconnectLimits;
  readonly #handlers: ReconnectWritesHandlers;
  readonly #waiting = new PendingWrites();
  #socket: Socket | undefined;
  /** Whether the open event is being emitted. Chunks that its handlers write are sent before the waiting chunks. */
  #announcing = false;
  /** Whether `write` returned `false` and `drain` has not followed yet. */
  #needsDrain = false;

  constructor(limits: ReconnectLimits, handlers: ReconnectWritesHandlers) {
    this.#limits = limits;
    this.#handlers = handlers;
  }

  /** Whether nothing waits for a connection. */
  get empty(): boolean {
    return this.#waiting.empty;
  }

  /** How many bytes were not handed to the kernel yet. */
  get pending(): number {
    return this.#waiting.bytes + (this.#socket?.writableLength ?? 0);
  }

  /** What they count towards `maxWriteBuffer`. */
  get #cost(): number {
    return this.#waiting.cost + (this.#socket?.writableLength ?? 0);
  }

  /**
   * Writes to a new connection from now on.
   * @param announce Emits the open event.
   */
  attach(socket: Socket, announce: () => void): void {
    this.#socket = socket;
    this.#announcing = true;
    announce();
    this.#announcing = false;
    this.flush();
  }

  /** Forgets the connection, and everything that was handed to it. */
  detach(): void {
    this.#socket = undefined;
  }

  /** Writes or queues bytes. Returns `true` if there is room for more. */
  write(bytes: Uint8Array, callbacks?: WriteCallbacks): boolean {
    const write = { bytes, callbacks };
    const hasRoom = this.#writeOrQueue(write);
    if (!hasRoom) this.#needsDrain = true;
    return hasRoom;
  }

  /**
   * Hands waiting chunks to the connection while it has room.
   * @param options.ignoreHighWaterMark Hands over everything.
   */
  flush({ ignoreHighWaterMark = false } = {}): void {
    while (!this.empty && this.#canWrite && (ignoreHighWaterMark || this.#hasRoom)) {
      const write = this.#waiting.shift();
      if (write) this.#send(write);
    }
    if (!this.empty) return;
    this.#handlers.onEmpty();
    if (!this.#needsDrain || !this.#canWrite || !this.#hasRoom) return;
    this.#needsDrain = false;
    this.#handlers.onDrain();
  }

  /** Drops everything that waits. Returns how many dropped bytes came from `next()`. */
  drop(error: unknown): number {
    return this.#waiting.drop(error);
  }

  /** Whether there is a connection whose write side is open. */
  get #canWrite(): boolean {
    return this.#socket !== undefined && controlOf(this.#socket).writeSide.state === 'open';
  }

  get #hasRoom(): boolean {
    const socket = this.#socket;
    return socket !== undefined && socket.writableLength < controlOf(socket).limits.highWaterMark;
  }

  /** Returns `true` if there is room for more. */
  #writeOrQueue(write: PendingWrite): boolean {
    const isNext = this.#announcing || (this.empty && this.#hasRoom);
    if (isNext && this.#canWrite) return this.#send(write);
    if (this.#cost > this.#limits.maxWriteBuffer && !this.#makeRoom(write)) return false;
    this.#waiting.push(write);
    return this.#waiting.bytes < HIGH_WATER_MARK;
  }

  /** Hands a chunk to the connection. Returns what its `next()` returns. */
  #send({ bytes, callbacks }: PendingWrite): boolean {
    const socket = this.#socket as Socket;
    const hasRoom = socket.next(bytes);
    if (callbacks) controlOf(socket).writeSide.flushed().then(callbacks.resolve, callbacks.reject);
    return hasRoom;
  }

  /** Applies the overflow policy. Returns `true` if the new chunk may be queued. */
  #makeRoom(write: PendingWrite): boolean {
    const { overflow, maxWriteBuffer: limit } = this.#limits;
    const message =
      `${this.#cost} bytes wait to be written, more than maxWriteBuffer (${limit}): stop when next() returns false ` +
      `and go on at 'drain', or choose an overflow policy`;
    const error = new WriteBufferOverflowError(message, { phase: 'write', limit });
    if (overflow === 'dropOldest') {
      while (!this.empty && this.#cost > limit) {
        const oldest = this.#waiting.shift();
        if (oldest) this.#refuse(oldest, error);
      }
      return true;
    }
    this.#refuse(write, error);
    return false;
  }

  #refuse({ bytes, callbacks }: PendingWrite, error: WriteBufferOverflowError): void {
    if (callbacks) callbacks.reject(error);
    else if (this.#limits.overflow === 'error') this.#handlers.onOverflow(error);
    else this.#handlers.onDrop(bytes.length);
  }
}
