// A write that must arrive whole. It ends with its last byte and FIN, or the connection is aborted: the peer never
// takes a part for the whole. Everything that writes more than one chunk is built on it.
//
//   writing ──finish()──▶ finishing ──FIN sent, or all flushed──▶ finished
//      │                      └── the socket fails ──▶ failed
//      └── the socket fails ──▶ failed;  cut(), or close() before finish() ──▶ cut: the connection is aborted
import { Subscription } from 'rxjs';
import { AsyncContext } from '../base/async-context.js';
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
  /** Settles `ready()`. */
  #waiting: { readonly resolve: () => void; readonly reject: (reason: unknown) => void } | undefined;
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
        next: () => {
          handlers.drained?.(this.bytesSent);
          this.#waiting?.resolve();
        },
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
   * @returns `false` at or over the socket's `highWaterMark`: wait for `drained`.
   * @throws SocketError `ERR_STREAM_WRITE_AFTER_END` if the write side was completed by somebody else.
   */
  write(bytes: Uint8Array): boolean {
    const { writeState } = this.#control;
    if (writeState === 'completing' || writeState === 'finished') throw writeAfterEndError(this.#socket);
    this.#written += bytes.length;
    return this.#socket.next(bytes);
  }

  /** Settles when everything written so far was handed to the kernel. */
  flushed(): Promise<void> {
    return this.#control.flushed();
  }

  /**
   * Settles when everything written so far was handed to the kernel and the socket takes more: a memory budget may make
   * it wait.
   */
  async ready(): Promise<void> {
    await this.flushed();
    if (!this.#control.waitsForDrain) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /**
   * The last byte was written. Calls `done` when FIN was sent, or with `end: false` when everything was flushed. From
   * now on `close()` does not abort: the write is whole.
   */
  finish(end: boolean, done: () => void): void {
    if (this.#state !== 'writing') return;
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
    this.#control.cut(reason);
    // After the abort: otherwise the peer's FIN would complete our side here, and the peer would take a part for the
    // whole.
    this.#endWrite();
  }

  /** Releases the socket. If the write is not whole, this aborts the connection. */
  close(reason: unknown = new Error('the transfer was stopped before it was complete')): void {
    this.#watching.unsubscribe();
    this.#waiting?.reject(reason);
    this.cut(reason);
    if (this.#state !== 'cut') this.#endWrite();
  }

  #fail(error: unknown): void {
    if (this.#state !== 'writing' && this.#state !== 'finishing') return;
    this.#state = 'failed';
    this.#waiting?.reject(error);
    this.#context.runInAsyncScope(() => this.#handlers.failed(error));
  }
}
