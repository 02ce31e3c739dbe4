// serve(): a server is a function from a connection to what it answers.
import { from, Observable, type ObservableInput, of, Subscription } from 'rxjs';
import { type Endpoint, formatEndpoint } from '../base/endpoint.js';
import { SocketError } from '../base/errors.js';
import type { ConnectionErrorEvent, ServerEvent } from '../base/events.js';
import type { Chunk } from '../framing/codec.js';
import { connectionOf, Socket } from '../socket.js';
import { data } from './data.js';
import { writeTo } from './write-to.js';

/** What a handler answers: one chunk, a socket (its bytes), or anything that RxJS takes for an Observable of chunks. */
export type HandlerResult = Chunk | Socket | ObservableInput<Chunk>;

/** Options of {@link serve}. */
export interface ServeOptions {
  /** Hears of errors that are not the network's: bugs in handlers. @defaultValue a process warning, `ERR_SERVE_HANDLER` */
  readonly onError?: (error: unknown, socket: Socket) => void;
}

/** What {@link serve} makes: the server's events, and those of its failed connections. */
export type ServeOperator = <A extends Endpoint>(
  server: Observable<ServerEvent<A>>,
) => Observable<ServerEvent<A> | ConnectionErrorEvent>;

/**
 * Runs a handler once for each connection, however many subscribe, and writes what it answers. Emits the server's events,
 * and one `connectionError` for each connection that fails, which is never the end of the server.
 *
 * Half-close: `allowHalfOpen` is turned on; the write side completes when the answer does, and reading goes on for as long
 * as the handler reads. An answer that fails, or is cut, aborts its connection. Backpressure: a clogged connection holds
 * what feeds its own answer, nothing else. Unsubscribing stops the server and aborts unfinished answers; `server.close()`
 * is the graceful way. A handler that upgrades its socket (STARTTLS) goes on with the new one by itself: its answer to the
 * plain one ends there.
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
  handler: (socket: Socket) => Chunk | ObservableInput<Chunk>,
  options?: ServeOptions,
): ServeOperator;
// Apart from the first, for there a Socket would let TypeScript infer events where chunks are meant.
export function serve(handler: (socket: Socket) => HandlerResult, options?: ServeOptions): ServeOperator;
export function serve(
  handler: (socket: Socket) => HandlerResult,
  { onError = warn }: ServeOptions = {},
): ServeOperator {
  return (server) => {
    // However many subscribe, a connection is answered once.
    const served = new WeakSet<Socket>();
    return new Observable((subscriber) => {
      const answers = new Subscription();
      const look = (socket: Socket) => {
        if (served.has(socket)) return;
        served.add(socket);
        socket.allowHalfOpen = true;
        const connection = connectionOf(socket);
        const { outcome } = connection;
        let failed = false;
        const fail = (error: unknown) => {
          if (failed || connection.upgraded) return;
          failed = true;
          connection.cut(error);
          subscriber.next({ type: 'connectionError', socket, error });
          // Last, for it may throw.
          if (!(error instanceof SocketError)) onError(error, socket);
        };
        outcome.afterClose(() => outcome.failure && !answers.closed && fail(outcome.failure));
        const answer = new Subscription();
        answers.add(answer);
        outcome.afterClose(() => answer.unsubscribe());
        try {
          answer.add(chunksOf(handler(socket)).pipe(writeTo(socket)).subscribe({ error: fail }));
        } catch (error) {
          fail(error);
        }
      };
      subscriber.add(
        server.subscribe({
          next: (event) => {
            subscriber.next(event);
            if (event.type === 'connection') look(event.socket);
          },
          error: (error) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      );
      subscriber.add(answers);
    });
  };
}

function chunksOf(answer: HandlerResult): Observable<Chunk> {
  if (typeof answer === 'string' || answer instanceof Uint8Array) return of(answer);
  return answer instanceof Socket ? answer.pipe(data()) : from(answer);
}

function warn(error: unknown, socket: Socket): void {
  const peer = socket.remote ? formatEndpoint(socket.remote) : 'a peer';
  const { stack = String(error) } = error as Partial<Error>;
  process.emitWarning(`A handler of serve() failed for ${peer}: ${stack}`, { code: 'ERR_SERVE_HANDLER' });
}
