// serve(): runs a handler for each connection, and writes the handler's answer to the connection.
import { inspect } from 'node:util';
import { filter, from, isObservable, Observable, type ObservableInput, of, type Subscriber } from 'rxjs';
import { AsyncContext } from '../base/async-context.js';
import type { Chunk } from '../base/bytes.js';
import { checkFunction, checkOptions } from '../base/check.js';
import { checkCopy } from '../base/copy.js';
import { type Endpoint, formatEndpoint } from '../base/endpoint.js';
import { SocketError } from '../base/errors.js';
import { guarded } from '../base/guarded.js';
import type { ConnectionErrorEvent, ServerEvent } from '../server/events.js';
import { controlOf, Socket } from '../socket.js';
import { ChunkWriter } from '../transfer/chunk-writer.js';

// biome-ignore lint/suspicious/noConfusingVoidType: an async function that returns nothing has this type.
type AsyncResult = PromiseLike<Chunk | void>;

/**
 * The answer that a handler returns: one chunk, a socket (its bytes), anything that RxJS converts to an Observable of
 * chunks, or the promise of an async handler that has written its answer itself.
 */
export type HandlerResult = Chunk | Socket | ObservableInput<Chunk> | AsyncResult;

/** Options of {@link serve}. */
export interface ServeOptions {
  /**
   * Called with errors that do not come from the network: bugs in handlers.
   * @defaultValue a process warning with the code `ERR_SERVE_HANDLER`
   */
  readonly onError?: ((error: unknown, socket: Socket) => void) | undefined;
}

/** What {@link serve} returns: an operator that emits the server's events, and one event for each failed connection. */
export type ServeOperator = <A extends Endpoint>(
  server: Observable<ServerEvent<A>>,
) => Observable<ServerEvent<A> | ConnectionErrorEvent>;

/**
 * Runs a handler for each connection and writes the answer that it returns. Emits the server's events. A failed
 * connection emits one `connectionError`, and the server keeps running. If there are several subscribers, each
 * connection is still handled once.
 *
 * Unsubscribing stops the server and aborts unfinished answers. `server.close()` is the graceful way. A handler that
 * upgrades its socket (STARTTLS) continues with the new socket on its own: its answer to the plain socket ends.
 *
 * When a connection fails or closes, its answer is unsubscribed. So the handler's pipeline does not receive the error
 * of the connection, and values that wait in it are dropped: clean up in `finalize()`. An async handler cannot be
 * stopped: what it throws then goes to `onError`, if it is a bug. To process everything that a client has sent before it
 * was cut off, subscribe to its pipeline yourself: see {@link connections}.
 *
 * **Half-close**: `allowHalfOpen` is turned on. The write side completes when the answer completes, and reading goes on
 * for as long as the handler reads. If nobody reads any more, what the peer still sends is dropped, unless a
 * subscription of yours, such as `on('close')`, keeps the socket open: see `finTimeout`. An answer that fails or is
 * stopped aborts its connection.
 *
 * **Backpressure**: a connection whose peer does not read holds the sources of its own answer, and nothing else.
 *
 * @param handler Called once for each connection.
 * @throws At the call: TypeError if the handler is not a function, or for an invalid option.
 * @throws As a notification: what the server fails with, for example {@link SocketError} `EADDRINUSE`. Errors of a
 * connection are events.
 *
 * @example
 * ```ts
 * import { data, lines, listen, serve } from '@rxsock/core';
 * import { map } from 'rxjs';
 *
 * listen({ port: 7000 })
 *   .pipe(serve((socket) => socket.pipe(data(), lines(), map((line) => `${line.length}\n`))))
 *   .subscribe();
 * ```
 */
export function serve(
  handler: (socket: Socket) => Chunk | ObservableInput<Chunk> | AsyncResult,
  options?: ServeOptions,
): ServeOperator;
// A separate overload: in a union with the other results, a Socket would let TypeScript infer events instead of chunks.
export function serve(handler: (socket: Socket) => HandlerResult, options?: ServeOptions): ServeOperator;
export function serve(handler: (socket: Socket) => HandlerResult, options: ServeOptions = {}): ServeOperator {
  checkFunction('handler', handler, 'a function that takes a socket and returns its answer');
  checkOptions(options, '{ onError }');
  const { onError = emitHandlerWarning } = options;
  checkFunction('onError', onError);
  return (server) => {
    checkCopy(server);
    const served = new WeakSet<Socket>();
    return new Observable((subscriber) => {
      const serving = new Serving(handler, onError, subscriber);
      subscriber.add(
        server.subscribe({
          next: (event) => {
            subscriber.next(event);
            // The subscriber may have unsubscribed at this event.
            if (subscriber.closed || event.type !== 'connection' || served.has(event.socket)) return;
            served.add(event.socket);
            serving.serve(event.socket);
          },
          error: (error) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      );
      subscriber.add(() => serving.stop());
    });
  };
}

/** One subscription: the answers in progress. */
class Serving {
  readonly #handler: (socket: Socket) => HandlerResult;
  readonly #onError: (error: unknown, socket: Socket) => void;
  readonly #events: Subscriber<ConnectionErrorEvent>;
  readonly #answers = new Set<Answer>();
  #stopped = false;
  readonly context = new AsyncContext();

  constructor(
    handler: (socket: Socket) => HandlerResult,
    onError: (error: unknown, socket: Socket) => void,
    events: Subscriber<ConnectionErrorEvent>,
  ) {
    this.#handler = handler;
    this.#onError = onError;
    this.#events = events;
  }

  serve(socket: Socket): void {
    socket.allowHalfOpen = true;
    const answer = new Answer(this, socket);
    this.#answers.add(answer);
    controlOf(socket).afterClose(answer);
    answer.run(this.#handler);
  }

  failed(socket: Socket, error: unknown): void {
    this.#events.next({ type: 'connectionError', socket, error });
    this.reportBug(socket, error);
  }

  /** Reports an error of a handler, unless it comes from the network. */
  reportBug(socket: Socket, error: unknown): void {
    if (!(error instanceof SocketError)) guarded(() => this.#onError(error, socket));
  }

  closed(answer: Answer, failure: unknown): void {
    if (failure && !this.#stopped) answer.failed(failure);
    this.#answers.delete(answer);
    answer.stop();
  }

  /** Aborts the answers that are not finished. */
  stop(): void {
    this.#stopped = true;
    for (const answer of this.#answers) answer.stop();
    this.#answers.clear();
  }
}

/** The answer to one connection. */
class Answer extends ChunkWriter {
  readonly #serving: Serving;
  #hasFailed = false;

  constructor(serving: Serving, socket: Socket) {
    super(socket);
    this.#serving = serving;
  }

  protected get end(): boolean {
    return true;
  }

  run(handler: (socket: Socket) => HandlerResult): void {
    try {
      const result = handler(this.socket);
      // A thenable may do its work at each `then`.
      const promise = isPromise(result) ? Promise.resolve(result) : undefined;
      promise?.then(undefined, (error) => this.#lateError(error));
      const chunks = chunksOf(promise ?? result);
      this.begin();
      if (!this.closed) chunks.subscribe(this);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The answer has failed, or its connection. */
  failed(error: unknown): void {
    const control = controlOf(this.socket);
    // The handler has completed our side itself, as relay() does when its target ends first, or has closed it, and now the
    // peer has ended too. The other direction of the relay may still be running, but nothing can be missing here.
    const byHandler = control.completedBy === 'complete' || control.completedBy === 'close';
    const isWhole = this.bytesSent === 0 && !control.failure && byHandler;
    if (!isWhole || !isPrematureClose(error)) this.#fail(error);
    this.stop();
  }

  #fail(error: unknown): void {
    const control = controlOf(this.socket);
    if (this.#hasFailed || control.upgraded) return;
    this.#hasFailed = true;
    control.cut(error);
    this.#serving.failed(this.socket, error);
  }

  // An async handler runs on when its answer was stopped. What it throws then is no event of the connection any more, but
  // a bug must not disappear.
  #lateError(error: unknown): void {
    if (this.closed) this.#serving.reportBug(this.socket, error);
  }

  protected done(): void {
    this.stop();
  }

  /** The connection has closed. */
  connectionClosed(): void {
    const { failure } = controlOf(this.socket);
    this.#serving.context.runInAsyncScope(() => this.#serving.closed(this, failure));
  }
}

function isPrematureClose(error: unknown): boolean {
  return error instanceof SocketError && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}

function chunksOf(result: HandlerResult): Observable<Chunk> {
  if (typeof result === 'string' || result instanceof Uint8Array) return of(result);
  if (result instanceof Socket) return controlOf(result).bytes;
  const chunks = from(result as ObservableInput<Chunk>);
  return isPromise(result) ? chunks.pipe(filter(isAnswer)) : chunks;
}

/** Whether the promise of an async handler has resolved to an answer. One that returns nothing resolves to `undefined`. */
function isAnswer<T>(value: T): boolean {
  if (!isObservable(value)) return value !== undefined;
  throw new TypeError(
    'An async handler returns one chunk or nothing, not an Observable: return from(promise).pipe(switchMap(…))',
  );
}

function isPromise(result: HandlerResult): result is AsyncResult {
  return typeof (result as Partial<AsyncResult> | null | undefined)?.then === 'function';
}

function emitHandlerWarning(error: unknown, socket: Socket): void {
  const peer = socket.remote ? formatEndpoint(socket.remote) : 'a peer';
  const reason = error instanceof Error ? error.stack : inspect(error);
  process.emitWarning(`A handler of serve() failed for ${peer}: ${reason}`, { code: 'ERR_SERVE_HANDLER' });
}
