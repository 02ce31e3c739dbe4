// connectionPool(): connections that are used for one exchange after another.
import { type InspectOptions, inspect } from 'node:util';
import { Observable, type ObservableInput } from 'rxjs';
import { checkFunction, checkOptions, checkTimeout } from '../base/check.js';
import { inspected, plural } from '../observe/inspect.js';
import { SocketFactory } from '../reconnect/socket-factory.js';
import type { Socket } from '../socket.js';
import { exchange } from './exchange.js';
import { PoolConnections } from './pool-connections.js';
import { type ConnectionPoolOptions, resolvePoolOptions } from './pool-options.js';

/** A pool of connections. Created by {@link connectionPool}. */
export class ConnectionPool implements AsyncDisposable {
  readonly #connections: PoolConnections;
  /** A name for logs. @defaultValue `''` */
  name = '';

  /** @internal */
  constructor(connections: PoolConnections) {
    this.#connections = connections;
    connections.owner = this;
  }

  /** How many connections the pool has: dialling, in use and idle. Closing ones do not count. */
  get size(): number {
    return this.#connections.states.size;
  }

  /** How many connections are idle. */
  get idle(): number {
    return this.#connections.idle.length;
  }

  /** How many `acquire()` calls wait for a connection. */
  get waiting(): number {
    return this.#connections.waiting.size;
  }

  /**
   * Acquires a connection and emits its open socket. It is yours until you unsubscribe, which releases it. The
   * Observable does not complete; `firstValueFrom` unsubscribes with the first value, so it releases the socket at
   * once.
   *
   * You get an idle connection if there is one, otherwise a new one while there are fewer than `max`. Otherwise you
   * wait: the first to wait is the first to get one.
   *
   * A released connection is used again if both sides are open, everything is written, nothing is left unread and
   * nobody holds the socket. Otherwise the pool closes it: gracefully, or with a reset if bytes were left unread. The
   * pool cannot know whether an answer is still on its way. If you stop in the middle of an exchange, call `error()` of
   * the socket before you unsubscribe. {@link use} does so.
   *
   * @returns Emits one socket.
   * @throws As a notification: {@link PoolError} (`ERR_POOL_TIMEOUT`, `ERR_POOL_FULL`, `ERR_POOL_CLOSED`); what the
   * socket fails with while it is dialled, for example a {@link ConnectError} or a {@link SocketTimeoutError};
   * {@link SocketError} `ERR_SETUP_FAILED` if `setup` fails; what the factory throws.
   */
  acquire(): Observable<Socket> {
    return new Observable((subscriber) => this.#connections.acquire(subscriber));
  }

  /**
   * Runs one exchange on a connection of the pool: emits the results of `project`, releases the connection and
   * completes. If the exchange fails, or you unsubscribe before it completes, the connection is aborted. Otherwise the
   * next user could receive the rest of this answer.
   *
   * **Half-close**: the exchange must not end our side, or the connection cannot be used again. An exchange that
   * completes without a result after the peer's FIN fails with `ERR_POOL_HANGUP`. Usually the peer had ended the
   * connection before the exchange began, and nobody noticed. If asking twice does no harm, `retry(1)` repeats the
   * exchange on another connection. `validate` finds such connections beforehand.
   *
   * **Backpressure**: consumers hold the socket.
   *
   * @param project Writes the request and returns the answer. It completes when the answer is complete.
   * @returns Emits the results of `project`. Every subscription is an exchange of its own.
   * @throws At the call: {@link TypeError} if `project` is not a function.
   * @throws As a notification: what {@link acquire} fails with; what `project` throws or fails with; {@link PoolError}
   * (`ERR_POOL_HANGUP`).
   * @example
   * ```ts
   * import { connect, connectionPool, data, lines } from '@rxsock/core';
   * import { retry, take } from 'rxjs';
   *
   * const pool = connectionPool(() => connect({ host: 'localhost', port: 6379 }));
   * const ping = pool.use((socket) => {
   *   socket.next('PING\r\n');
   *   return socket.pipe(data(), lines(), take(1)); // the exchange is complete after one line
   * });
   * ping.pipe(retry(1)).subscribe(console.log); // asks again if the peer had ended the connection
   * ```
   */
  use<R>(project: (socket: Socket) => ObservableInput<R>): Observable<R> {
    checkFunction('project', project);
    return exchange(this.acquire(), project);
  }

  /**
   * Closes the pool: waiting `acquire()` calls fail, idle connections close, and those in use close when they are
   * released. After `drain`, the connections that are still open are aborted.
   *
   * @param options.drain How long to wait for connections in use, in milliseconds; 0 aborts them at once, Infinity
   * never aborts. The default is 10,000.
   * @returns Resolves when all connections are closed. Never rejects.
   * @throws At the call: {@link TypeError} or {@link RangeError} for an option that is not valid.
   */
  close(options: { readonly drain?: number | undefined } = {}): Promise<void> {
    checkOptions(options, '{ drain: 5000 }');
    const { drain = 10_000 } = options;
    checkTimeout('drain', drain);
    return this.#connections.close(drain);
  }

  /** Closes gracefully at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal One line for logs. A depth that is asked for, as `{ depth: 1 }`, adds the properties. */
  [inspect.custom](depth: number | null, options: InspectOptions): string {
    return inspected('ConnectionPool', this, depth, options, () => ({
      facts: [plural(this.size, 'connection'), `${this.idle} idle`, `${this.waiting} acquire() waiting`],
      more: () => this.#connections.sockets,
    }));
  }
}

/**
 * Creates a pool of connections to one peer. It dials when a connection is needed, up to `max`. A released connection
 * stays open and is used again. Of several idle connections, the one that was released last is used first.
 *
 * The pool reads idle connections. If the peer ends one, or sends bytes that nobody asked for (perhaps the late rest of
 * an answer), the pool discards it. An end that the kernel has not reported yet, or a network that fails silently, goes
 * unnoticed: use `validate` for that. A protocol in which the server speaks between two exchanges cannot be pooled.
 *
 * An idle connection keeps the process alive until `idleTimeout`, so `close()` a pool that you no longer need. The
 * `keepOpen` of the sockets has no effect; their `idleTimeout` and `signal` have.
 *
 * **Half-close**: a connection that either side has ended is not used again, whatever `allowHalfOpen` says.
 *
 * **Backpressure**: at most `maxWaiting` calls of `acquire()` wait for a connection. Each socket has its own
 * backpressure.
 *
 * @param factory Makes a new socket at each call, of any transport: TCP, TLS, UNIX. It is called once right away. Later
 * calls run in the `AsyncLocalStorage` context of the first one.
 * @param options How many connections and waiting calls there may be, and how long they last.
 * @returns The pool. It dials with the first `acquire()` or `use()`.
 * @throws At the call: {@link TypeError} if `factory` is not a function that returns a new socket; {@link TypeError} or
 * {@link RangeError} for an option that is not valid; what `factory` throws.
 * @example
 * ```ts
 * import { connect, connectionPool, reader } from '@rxsock/core';
 *
 * await using pool = connectionPool(() => connect({ host: 'localhost', port: 6379 }), {
 *   max: 4,
 *   validate: async (socket) => {
 *     socket.next('PING\r\n');
 *     using lines = reader(socket);
 *     return (await lines.readLine()) === '+PONG';
 *   },
 * });
 * pool.acquire().subscribe((socket) => console.log('yours until you unsubscribe:', socket.remote));
 * ```
 */
export function connectionPool(factory: () => Socket, options: ConnectionPoolOptions = {}): ConnectionPool {
  const limits = resolvePoolOptions(options);
  return new ConnectionPool(new PoolConnections(new SocketFactory(factory, 'connectionPool'), limits));
}
