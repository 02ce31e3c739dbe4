// A write that must arrive whole. It ends with its last byte and FIN, or the connection is aborted: the peer never
// takes a part for the whole. Everything that writes more than one chunk is built on it.
//
//   writing ──finish()──▶ finishing ──FIN sent, or all flushed──▶ finished
//      │                      └── the socket fails ──▶ failed
//      └── the socket fails ──▶ failed;  cut(), or close() before finish() ──▶ cut: the connection is aborted
//
// A chunk for which the memory budget has no room waits here until `drain`, and so does finish().
import { Subscription } from 'rxjs';
import { AsyncContext } from '../base/async-context.js';
import { type Deferred, deferred } from '../base/deferred.js';
import { handled } from '../base/handled.js';
import { prematureCloseError } from '../base/premature-close.js';
import type { SocketControl } from '../engine/control.js';
import { controlOf, type Socket, writeAfterEndError } from '../socket.js';
import { watch } from './watch.js';

/** Whether a transfer completes the write side. Options of {@link writeTo}, {@link through} and the like. */
export interface EndOptions {
  /**
   * Whether the write side is completed, which sends FIN, when the source completes.
   * @defaultValue `true`
   */
  readonly end?: boolean | undefined;
}

/** The progress of a transfer. */
export interface WriteProgress {
  /** How many bytes of this transfer were handed to the kernel so far. */
  readonly bytesSent: number;
}

/** What a whole write reports. */
export interface WholeWriteHandlers {
  /** The socket failed or closed before the write was finished. Called at most once. */
  failed(error: unknown): void;
  /** Bytes have left. @param bytesSent How many bytes of this write were handed to the kernel so far. */
  progressed?(bytesSent: number): void;
  /** Everything has left, after `write` had returned `false`. */
  drained?(bytesSent: number): void;
}

export class WholeWrite {
  #state: 'writing' | 'finishing' | 'finished' | 'failed' | 'cut' = 'writing';
  readonly #socket: Socket;
  readonly #control: SocketControl;
  readonly #handlers: WholeWriteHandlers;
  readonly #watching = new Subscription();
  /** The handlers run in the context of the code that made the write, whoever breaks the socket. */
  readonly #context = new AsyncContext();
  readonly #endWrite: () => void;
  /** What `ready()` waits for: the next `drain`. */
  #drain: Deferred | undefined;
  /** The chunk for which the memory budget has no room, and what to do when it is written. */
  #chunk: Uint8Array | undefined;
  #afterChunk: (() => void) | undefined;
  /** How many bytes were written, and how many of them have left. */
  #written = 0;
  #sent = 0;

  /** Dials, and keeps the socket open without reading it. If the socket is broken already, calls `failed` at once. */
  constructor(socket: Socket, handlers: WholeWriteHandlers) {
    this.#socket = socket;
    this.#control = controlOf(socket);
    this.#handlers = handlers;
    this.#endWrite = this.#control.beginWrite();
    const fail = (error: unknown) => this.#fail(error);
    const progressed = () => handlers.progressed?.(this.bytesSent);
    this.#watching.add(this.#control.onBroken(fail));
    if (handlers.progressed)
      this.#watching.add(this.#control.onProgress(() => this.#context.runInAsyncScope(progressed)));
    this.#watching.add(
      watch(socket, 'drain').subscribe({
        next: () => this.#drained(),
        error: fail,
        complete: () => fail(prematureCloseError('write')),
      }),
    );
  }

  /** How many bytes of this write were handed to the kernel. */
  get bytesSent(): number {
    // Other code may write to the socket too, so not all of `writableLength` is ours, and it may grow.
    this.#sent = Math.max(this.#sent, this.#written - this.#socket.writableLength);
    return this.#sent;
  }

  /**
   * Writes bytes.
   * @returns `false` at or over the socket's `highWaterMark`, or if the memory budget is full: wait for `drained`.
   * @throws SocketError `ERR_STREAM_WRITE_AFTER_END` if the write side was completed by somebody else.
   */
  write(bytes: Uint8Array): boolean {
    // A source that cannot be held: there is no place for a second chunk.
    if (this.#chunk) this.#writeChunk(this.#chunk);
    else if (!this.#control.hasRoomFor(bytes.length)) {
      this.#chunk = bytes;
      return false;
    }
    return this.#writeNow(bytes);
  }

  #writeNow(bytes: Uint8Array): boolean {
    const { writeState } = this.#control;
    if (writeState === 'completing' || writeState === 'finished') throw writeAfterEndError(this.#socket);
    this.#written += bytes.length;
    return this.#socket.next(bytes);
  }

  #writeChunk(chunk: Uint8Array): boolean {
    this.#chunk = undefined;
    const hasRoom = this.#writeNow(chunk);
    this.#afterChunk?.();
    return hasRoom;
  }

  #drained(): void {
    try {
      const chunk = this.#chunk;
      // Another writer of this socket may have used the room.
      if (chunk && !(this.#control.hasRoomFor(chunk.length) && this.#writeChunk(chunk))) return;
    } catch (error) {
      return this.cut(error, () => this.#context.runInAsyncScope(() => this.#handlers.failed(error)));
    }
    this.#handlers.drained?.(this.bytesSent);
    this.#drain?.resolve();
    this.#drain = undefined;
  }

  /** Settles when everything written so far was handed to the kernel. You may ignore the promise. */
  flushed(): Promise<void> {
    return this.#chunk ? handled(this.ready()) : this.#control.flushed();
  }

  /**
   * Settles when everything written so far was handed to the kernel and the socket takes more: a memory budget may make
   * it wait.
   */
  async ready(): Promise<void> {
    await this.#control.flushed();
    while (this.#chunk || this.#control.waitsForDrain) {
      this.#drain ??= deferred();
      await this.#drain.promise;
      await this.#control.flushed();
    }
  }

  /**
   * The last byte was written. Calls `done` when FIN was sent, or with `end: false` when everything was flushed. From
   * now on `close()` does not abort: the write is whole.
   */
  finish(end: boolean, done: () => void): void {
    if (this.#state !== 'writing') return;
    if (this.#chunk) {
      this.#afterChunk = () => this.finish(end, done);
      return;
    }
    this.#state = 'finishing';
    const finished = () => {
      if (this.#state !== 'finishing') return;
      this.#state = 'finished';
      this.#context.runInAsyncScope(done);
    };
    if (!end) {
      this.#control.flushed().then(finished, (error) => this.#fail(error));
      return;
    }
    this.#watching.add(watch(this.#socket, 'finish').subscribe({ next: finished, error: () => {} }));
    this.#socket.complete();
  }

  /**
   * The source failed: aborts the connection.
   * @param notify Called first: whoever it notifies receives the cause before the consequence.
   */
  cut(reason: unknown, notify?: () => void): void {
    if (this.#state !== 'writing') return;
    this.#state = 'cut';
    notify?.();
    this.#drain?.reject(reason);
    this.#control.cut(reason);
    // After the abort: otherwise the peer's FIN would complete our side here, and the peer would take a part for the
    // whole.
    this.#endWrite();
  }

  /** Releases the socket. If the write is not whole, this aborts the connection. */
  close(reason: unknown = new Error('the transfer was stopped before it was complete')): void {
    this.#watching.unsubscribe();
    this.#drain?.reject(reason);
    this.cut(reason);
    if (this.#state !== 'cut') this.#endWrite();
  }

  #fail(error: unknown): void {
    if (this.#state !== 'writing' && this.#state !== 'finishing') return;
    this.#state = 'failed';
    this.#drain?.reject(error);
    this.#context.runInAsyncScope(() => this.#handlers.failed(error));
  }
}
