// The reconnecting socket as users see it: an Observable of the events of all its connections, and an Observer of
// bytes.
import { type InspectOptions, inspect } from 'node:util';
import type { Observable, ObservableInput, Observer } from 'rxjs';
import { type Chunk, toBytes } from '../base/bytes.js';
import { checkFunction, checkOptions, checkTimeout } from '../base/check.js';
import { handled } from '../base/handled.js';
import { broadcast, type Registrable } from '../base/registrable.js';
import { Flowable } from '../flow/flowable.js';
import { inspected } from '../observe/inspect.js';
import { plainProperties } from '../observe/plain-properties.js';
import type { Socket } from '../socket.js';
import { eachConnection } from './each-connection.js';
import type { ReconnectEvent } from './reconnect-events.js';
import type { ReconnectLoop, ReconnectState } from './reconnect-loop.js';

/**
 * A socket that connects again when its connection ends: a Flowable of {@link ReconnectEvent}s and an Observer of
 * bytes. Created by {@link reconnect}.
 */
export class ReconnectingSocket
  extends Flowable<ReconnectEvent>
  implements Observer<Chunk>, Registrable<ReconnectEvent>, AsyncDisposable
{
  readonly #loop: ReconnectLoop;
  /** Whether a write after `complete()` or `close()` has emitted its warning. */
  #hasWarned = false;
  /** A name for logs and registries. @defaultValue `''` */
  name = '';
  /** Any value that you want to keep with the socket. @defaultValue `undefined` */
  mark: unknown;

  /** @internal */
  constructor(loop: ReconnectLoop) {
    super((subscriber) => loop.subscribe(subscriber), loop.flow);
    this.#loop = loop;
    loop.owner = this;
  }

  /**
   * Writes a chunk. Make it a whole message, because the next chunk may go to another connection. Does not dial. While
   * there is no connection, chunks wait in order. What you write in a handler of `connect` (over TLS: of
   * `secureConnect`) is sent before them.
   *
   * **Backpressure**: stop when it returns `false`, and go on at the `drain` event. What you write anyway is queued up
   * to `maxWriteBuffer`.
   *
   * @param chunk Bytes, or a string, which is written as UTF-8.
   * @returns `false` if you should wait for `drain`. Also `false` if it can no longer be written: after `complete()` or
   * `close()`, the first time with a process warning, and after the end.
   * @throws At the call: {@link TypeError} for a chunk that is neither a string nor a `Uint8Array`. Nothing is written,
   * and the socket goes on.
   */
  next(chunk: Chunk): boolean {
    const bytes = toBytes(chunk);
    const { writeError, ending, writes } = this.#loop;
    if (writeError && ending !== 'no' && !this.#hasWarned) {
      this.#hasWarned = true;
      process.emitWarning(writeError as Error);
    }
    return writeError ? false : writes.write(bytes);
  }

  /**
   * @internal Writes like `next`, but also returns `true` if nothing can be written any more: no `drain` would follow.
   */
  [broadcast](bytes: Uint8Array): boolean {
    return this.#loop.writeError !== undefined || this.next(bytes) || this.#loop.writeError !== undefined;
  }

  /**
   * Writes a chunk as `next()` does, and reports when the kernel has accepted it. Dials if nothing has dialled yet.
   * Only the peer knows whether it has read the bytes. You may ignore the promise: a rejection that nobody handles does
   * no harm.
   *
   * @param chunk Bytes, or a string, which is written as UTF-8.
   * @returns Resolves when the kernel has accepted the bytes.
   * @throws At the call: {@link TypeError} for a chunk that is neither a string nor a `Uint8Array`.
   * @throws As a rejection: {@link WriteBufferOverflowError} (`ERR_WRITE_BUFFER_OVERFLOW`) over `maxWriteBuffer`;
   * {@link SocketError} `ERR_STREAM_WRITE_AFTER_END` after `complete()` or `close()`, `ERR_SOCKET_CLOSED` if it closed
   * or the last subscriber left before the chunk was sent; otherwise the error of the connection that the chunk was
   * handed to, or the error that the reconnecting socket ended with.
   */
  write(chunk: Chunk): Promise<void> {
    const bytes = toBytes(chunk);
    this.#loop.start();
    const { writeError, writes } = this.#loop;
    if (writeError) return handled(Promise.reject(writeError));
    return handled(new Promise((resolve, reject) => writes.write(bytes, { resolve, reject })));
  }

  /**
   * Half-closes: sends FIN after everything that was written, and reading goes on. Dials if nothing has dialled yet.
   * The connection that gets the last bytes is the last one: when it ends, subscribers complete, or receive its error.
   * If the state is `waiting` and there is nothing to write, they complete at once.
   */
  complete(): void {
    this.#loop.complete();
  }

  /**
   * Aborts: drops what waits to be written and resets the connection. Subscribers receive an {@link AbortedError}.
   *
   * @param reason Becomes the `cause` of the error.
   */
  error(reason?: unknown): void {
    this.#loop.abort(reason);
  }

  /**
   * Closes gracefully: sends what waits, then FIN, and waits for the peer's FIN. Bytes that nobody reads are dropped.
   * If it is not closed after `timeout`, it aborts, and subscribers receive a {@link SocketTimeoutError}. Time without
   * a connection counts too.
   *
   * @param options.timeout How long to wait, in milliseconds; 0 aborts at once, Infinity waits without limit. The
   * default is 5,000.
   * @returns Resolves when it is closed. Never rejects.
   * @throws At the call: {@link TypeError} or {@link RangeError} for an option that is not valid.
   */
  close(options: { readonly timeout?: number | undefined } = {}): Promise<void> {
    checkOptions(options, '{ timeout: 1000 }');
    const { timeout = 5_000 } = options;
    checkTimeout('timeout', timeout);
    return this.#loop.close(timeout);
  }

  /** Closes gracefully at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Reads the bytes: makes a new pipeline for each connection and emits the results of all of them. A decoder starts
   * again with each connection, so a frame that was cut is dropped and never joined to the bytes of the next
   * connection.
   *
   * A pipeline starts at the `connect` event. If you subscribe while a connection is open, it starts with the bytes
   * that arrive next. A pipeline that completes early ignores the rest of its connection. `bytes` takes nothing back:
   * if `lines()` leaves inside a chunk, the rest of the chunk is lost to the next operator on the same `bytes`.
   *
   * Other subscriptions to the reconnecting socket, for its events, do not disturb the pipelines.
   *
   * A frame that cannot be decoded ({@link FrameError} of phase `read`) or is late (`frameTimeout`) aborts its
   * connection, and the socket connects again.
   *
   * **Half-close**: `bytes` completes at the peer's FIN, so a codec may emit an unfinished last line (`trailing:
   * 'drop'` prevents it). It fails if the connection fails. Neither ends the result, which completes or fails with the
   * reconnecting socket, after the pipelines are done. An abort or another error of this side does not wait for them.
   *
   * **Backpressure**: consumers hold the current connection, and the next ones while they are behind.
   *
   * @param project Called for each connection with its bytes; returns the pipeline. An operator such as `lines()` fits.
   * @returns The results of all pipelines.
   * @throws At the call: {@link TypeError} if `project` is not a function.
   * @throws As a notification: what the reconnecting socket fails with (see {@link reconnect}), what `project` throws,
   * and every other error of a pipeline.
   * @example
   * ```ts
   * import { connect, lines, reconnect } from '@rxsock/core';
   * import { skip } from 'rxjs';
   *
   * const feed = reconnect(() => connect({ host: 'localhost', port: 7000 }));
   * feed
   *   .eachConnection((bytes) => bytes.pipe(lines(), skip(1))) // without the greeting of each connection
   *   .subscribe({ next: console.log, error: console.error });
   * ```
   */
  eachConnection<R>(project: (bytes: Flowable<Buffer>) => ObservableInput<R>): Flowable<R> {
    checkFunction('project', project);
    return eachConnection(this, project, (reason) => this.socket?.error(reason));
  }

  /**
   * `idle`: it has not started, or the last subscriber has left. `connecting`: an attempt is under way. `open`: there
   * is a connection. `waiting`: the next attempt is scheduled. `closed`: it has ended and does not connect again.
   */
  get readyState(): ReconnectState {
    return this.#loop.state;
  }

  /**
   * The `readyState`: the current one, then every change. Completes after `closed`. It only watches: it does not dial,
   * and does not keep the connection open.
   */
  get readyStates(): Observable<ReconnectState> {
    return this.#loop.states.changes;
  }

  /** The socket of the current connection or attempt, to inspect; `undefined` if there is none. */
  get socket(): Socket | undefined {
    return this.#loop.socket;
  }

  /** How many bytes wait for a connection, or to be accepted by the kernel. */
  get writableLength(): number {
    return this.#loop.writes.pending;
  }

  /** @internal One line for logs. A depth that is asked for, as `{ depth: 1 }`, adds the properties. */
  [inspect.custom](depth: number | null, options: InspectOptions): string {
    return inspected('ReconnectingSocket', this, depth, options, () => ({
      target: this.socket ? undefined : this.#loop.target,
      facts: this.socket ? [inspect(this.socket)] : [],
      more: () => ({ ...plainProperties(this), socket: this.socket }),
    }));
  }
}
