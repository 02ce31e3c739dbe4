// reconnect(): one Observable and Observer over many connections, made one after another.
import type { Observable, ObservableInput, Observer } from 'rxjs';
import { broadcast, type Registrable } from '../base/registrable.js';
import { checkLimit } from '../engine/limits.js';
import { Flowable } from '../flow/flowable.js';
import type { Chunk } from '../framing/codec.js';
import { type Spans, spans } from '../operators/spanning.js';
import { type Socket, toBytes } from '../socket.js';
import { Backoff } from './backoff.js';
import { eachConnection } from './each-connection.js';
import type { ReconnectEvent } from './reconnect-events.js';
import { ReconnectLoop, type ReconnectState } from './reconnect-loop.js';
import { type ReconnectOptions, resolveReconnectOptions } from './reconnect-options.js';
import { SocketFactory } from './socket-factory.js';

/**
 * A link that outlives its connections: a Flowable of {@link ReconnectEvent}s and an Observer of bytes. Made by
 * {@link reconnect}, which says what a cut may lose.
 */
export class ReconnectingSocket
  extends Flowable<ReconnectEvent>
  implements Observer<Chunk>, Registrable<ReconnectEvent>, Spans, AsyncDisposable
{
  readonly #keeper: ReconnectLoop;
  /** @internal */
  readonly [spans] = true as const;
  /** A name for logs and registries. */
  name = '';
  /** Anything you want to keep with the link. */
  mark: unknown;

  /** @internal */
  constructor(keeper: ReconnectLoop) {
    super((subscriber) => keeper.subscribe(subscriber), keeper.flow);
    this.#keeper = keeper;
  }

  /**
   * Writes a whole message; a string is written as UTF-8. What comes while there is no connection waits for the next one,
   * in order; what is written in a handler of `connect` (over TLS, of `secureConnect`) goes ahead of it. Does not dial.
   * @returns `false` when it is time to wait for `drain`. Also `false` when nothing can be written any more.
   * @throws TypeError if the chunk is neither a string nor a Uint8Array; the link is unharmed.
   */
  next(chunk: Chunk): boolean {
    const bytes = toBytes(chunk);
    const { refusal, ending, writes } = this.#keeper;
    if (refusal && ending !== 'no') process.emitWarning(refusal as Error);
    return refusal ? false : writes.write(bytes);
  }

  /** @internal As `next`, unless nothing more can be written. */
  [broadcast](bytes: Uint8Array): boolean {
    return this.#keeper.refusal !== undefined || this.next(bytes) || this.#keeper.refusal !== undefined;
  }

  /**
   * Writes a whole message and tells when the kernel has taken it; dials if nobody has. A rejection that nobody handles
   * is harmless.
   * @throws {@link SocketError} (rejects) if it never left: what its connection, or the link, failed with;
   * {@link WriteBufferOverflowError} for one over `maxWriteBuffer`; `ERR_STREAM_WRITE_AFTER_END` after `complete()`.
   */
  write(chunk: Chunk): Promise<void> {
    const bytes = toBytes(chunk);
    this.#keeper.start();
    const { refusal, writes } = this.#keeper;
    const written = refusal
      ? Promise.reject(refusal)
      : new Promise<void>((resolve, reject) => writes.write(bytes, { resolve, reject }));
    written.catch(() => {});
    return written;
  }

  /**
   * Half-closes, when all that waits has been given to a connection: sends FIN, and reading goes on. That connection is
   * the last: when it ends the link completes, or fails with what it failed with.
   */
  complete(): void {
    this.#keeper.complete();
  }

  /** Aborts: drops what waits and resets the connection. Subscribers get an {@link AbortedError} with the reason. */
  error(reason?: unknown): void {
    this.#keeper.abort(reason);
  }

  /**
   * Closes gracefully: as `complete()`, dropping what nobody reads. After `timeout` milliseconds it aborts with a
   * {@link SocketTimeoutError}, also if there has been no connection for what waits.
   * @param options.timeout In milliseconds; 0 aborts at once, Infinity waits for ever. Default: 5,000.
   * @returns Resolves when it is over. Never rejects.
   */
  close(options: { readonly timeout?: number } = {}): Promise<void> {
    const { timeout = 5_000 } = options;
    checkLimit('timeout', timeout);
    return this.#keeper.close(timeout);
  }

  /** Closes gracefully at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Runs a pipeline of its own for the bytes of each connection, and emits what they all give: a decoder begins anew with
   * each connection, and a frame that is cut is dropped, never glued to what comes next. For one operator,
   * `link.pipe(data(), lines())` does the same.
   *
   * Half-close: the bytes complete at the peer's FIN, so that a codec may give a last line (`trailing: 'drop'` if it must
   * not), and fail where the connection fails, which drops what there is of a frame; neither ends this. A frame that makes no sense ({@link FrameError}, or a `frameTimeout`)
   * aborts the connection, and the link makes another; other errors of a pipeline are passed on. Completes and fails with
   * the link, when the pipelines are done. Backpressure: consumers hold the connection, and the next one too.
   *
   * @example
   * ```ts
   * import { connect, lines, reconnect } from '@rxsock/core';
   *
   * const feed = reconnect(() => connect({ host: 'localhost', port: 7000 }));
   * feed.eachConnection(lines()).subscribe({ next: console.log, error: console.error });
   * ```
   */
  eachConnection<R>(project: (bytes: Flowable<Buffer>) => ObservableInput<R>): Flowable<R> {
    return eachConnection(this, project, (reason) => this.#keeper.socket?.error(reason));
  }

  /**
   * `idle`: nobody has subscribed, or everybody has left. `connecting`, `open`. `waiting`: for the next attempt. `closed`:
   * for good.
   */
  get readyState(): ReconnectState {
    return this.#keeper.state;
  }

  /**
   * The `readyState`, now and whenever it changes; completes behind `closed`. It only looks: it does not dial, and does not
   * keep the link alive.
   */
  get readyStates(): Observable<ReconnectState> {
    return this.#keeper.states.changes;
  }

  /** The socket of the present connection, or of the one that is being made: to ask, not to read from. */
  get socket(): Socket | undefined {
    return this.#keeper.socket;
  }

  /** Bytes that wait, for a connection or to be handed to the kernel. */
  get writableLength(): number {
    return this.#keeper.writes.pending;
  }
}

/**
 * Keeps a connection: when it ends, however it ends, makes another, with growing delays. One stable Observable of the
 * events of all of them, `disconnect` and `retry` between them, and one Observer for writes.
 *
 * All subscribers share it; the first one dials, or `write()`, or `complete()`. What arrives while nobody has subscribed yet
 * is dropped; a later subscriber is told `connect` again. When the last one has left, everything stops by the next turn:
 * timers, attempts, and the connection, which closes gracefully. Who then subscribes begins anew.
 *
 * **What a cut may lose.** Each chunk is given to one connection, and never again to another: what had not left with it
 * is lost (`disconnect.report.bytesUnsent`), and so may be what the kernel had taken and the peer had not read. Only the
 * peer can tell: a protocol that must not lose has to confirm. Chunks should be whole messages, for the next chunk may go to
 * the next connection. What comes while there is none waits, up to `maxWriteBuffer`.
 *
 * Half-close: the peer's FIN ends a connection, not the link, whatever `allowHalfOpen` says; ours is `complete()`.
 * Backpressure: a hold is passed from each connection to the next; `next()` answers `false` and `drain` follows, also
 * across connections.
 *
 * @param factory Makes a new socket at each call: TCP, TLS, UNIX or any other. What it throws ends the link.
 * @throws TypeError or RangeError at the call, for options that mean nothing, those of the factory's socket too. As
 * notifications: {@link ReconnectError} after `maxRetries`, {@link WriteBufferOverflowError}, {@link AbortedError}, and the
 * {@link ConnectError} of an option that Node refuses, which no retry would mend.
 *
 * @example
 * ```ts
 * import { connect, data, lines, reconnect } from '@rxsock/core';
 *
 * const link = reconnect(() => connect({ host: 'localhost', port: 6667 }), { backoff: { initial: 100, max: 10_000 } });
 * link.subscribe({
 *   next: (event) => {
 *     if (event.type === 'connect') link.next('NICK me\r\n'); // first on every connection
 *     if (event.type === 'disconnect') console.log('gone:', event.error?.message ?? 'the peer ended it');
 *   },
 *   error: (error) => console.error('gone for good:', error.message),
 * });
 * link.pipe(data(), lines()).subscribe({ next: console.log, error: () => {} });
 * ```
 */
export function reconnect(factory: () => Socket, options: ReconnectOptions = {}): ReconnectingSocket {
  const limits = resolveReconnectOptions(options);
  const backoff = new Backoff(options.backoff);
  return new ReconnectingSocket(new ReconnectLoop(new SocketFactory(factory, 'reconnect'), backoff, limits));
}
