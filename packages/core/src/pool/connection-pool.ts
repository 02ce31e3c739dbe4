// connectionPool(): connections that are used again.
import { from, Observable, type ObservableInput, Subscription } from 'rxjs';
import { checkLimit } from '../engine/limits.js';
import { FlowSubscriber } from '../flow/flowable.js';
import { SocketFactory } from '../reconnect/socket-factory.js';
import type { Socket } from '../socket.js';
import { hangUpDuring, hangUpError } from './hang-up.js';
import { PoolConnections } from './pool-connections.js';
import { type ConnectionPoolOptions, resolvePoolOptions } from './pool-options.js';

/** A pool of connections. Made by {@link connectionPool}. */
export class ConnectionPool implements AsyncDisposable {
  readonly #keeper: PoolConnections;

  /** @internal */
  constructor(keeper: PoolConnections) {
    this.#keeper = keeper;
  }

  /** How many connections there are: being dialled, in use, idle. Those that are closing do not count. */
  get size(): number {
    return this.#keeper.states.size;
  }

  /** How many of them lie idle. */
  get idle(): number {
    return this.#keeper.idle.length;
  }

  /** How many `acquire()`s have no connection yet. */
  get waiting(): number {
    return this.#keeper.waiting.size;
  }

  /**
   * One open socket, yours until you unsubscribe: it does not complete by itself, and `firstValueFrom` gives it back at
   * once. An idle one, or a new one if there may be more; else it waits its turn.
   *
   * A socket is used again only if both sides are open, all is written, nothing is left to be read and nobody holds it;
   * else it is closed, gracefully while there are bytes to flush. The pool cannot know whether an answer is still on its
   * way: who leaves in the middle of an exchange calls the socket's `error()` first, or takes {@link use}, which does.
   *
   * @throws as notifications: {@link PoolError} `ERR_POOL_TIMEOUT`, `ERR_POOL_FULL` or `ERR_POOL_CLOSED`, and what dialling
   * fails with, a {@link ConnectError} for example.
   */
  acquire(): Observable<Socket> {
    return new Observable((subscriber) => this.#keeper.acquire(subscriber));
  }

  /**
   * Runs one exchange over a connection of the pool: emits what `project` gives, and completes with it, giving the
   * connection back. Where it fails, or is unsubscribed before, the connection is aborted: the rest of an answer must not
   * be taken for the answer to somebody else. Backpressure: consumers hold the socket.
   *
   * @throws as notifications, what {@link acquire} and `project` fail with, and {@link PoolError} `ERR_POOL_HANGUP` where
   * the exchange completes with nothing because the peer has ended the connection. Most often it had before, and nobody
   * had noticed: `retry(1)` mends it where asking twice does no harm, `validate` avoids it.
   *
   * @example
   * ```ts
   * import { connect, connectionPool, data, lines } from '@rxsock/core';
   * import { retry, take } from 'rxjs';
   *
   * const pool = connectionPool(() => connect({ host: 'localhost', port: 6379 }));
   * const ping = pool.use((socket) => {
   *   socket.next('PING\r\n');
   *   return socket.pipe(data(), lines(), take(1)); // the exchange is over after one line
   * });
   * ping.pipe(retry(1)).subscribe(console.log); // over a new connection, if that one had been given up
   * ```
   */
  use<R>(project: (socket: Socket) => ObservableInput<R>): Observable<R> {
    return new Observable((subscriber) => {
      let socket: Socket | undefined;
      const exchange = new Subscription();
      exchange.add(() => socket?.error(new Error('the exchange was not complete')));
      // A microtask later: who leaves with the last value, as firstValueFrom() does, leaves before the exchange completes.
      subscriber.add(() => queueMicrotask(() => exchange.unsubscribe()));
      const during = <T>(results: FlowSubscriber<T>) => {
        subscriber.remove(results);
        exchange.add(results);
        return results;
      };
      const begin = (acquired: Socket) => {
        if (subscriber.closed) return;
        socket = acquired;
        const hungUp = hangUpDuring(exchange, acquired);
        let silent = true;
        const results = new FlowSubscriber<R>(subscriber as never, {
          next: (result) => {
            silent = false;
            subscriber.next(result);
          },
          complete: () => {
            socket = undefined;
            exchange.unsubscribe();
            if (silent && hungUp()) subscriber.error(hangUpError(acquired));
            else subscriber.complete();
          },
        });
        from(project(acquired)).subscribe(during(results));
      };
      this.acquire().subscribe(during(new FlowSubscriber<Socket>(subscriber as never, { next: begin })));
    });
  }

  /**
   * Closes the pool: those who wait fail with {@link PoolError} `ERR_POOL_CLOSED`, idle connections close, those in use when
   * they are given back, and after `drain` milliseconds what is left is aborted.
   * @param options.drain In milliseconds: 0 aborts at once, Infinity never. Default: 10,000.
   * @returns Resolves when all connections are gone. Never rejects.
   */
  close(options: { readonly drain?: number } = {}): Promise<void> {
    const { drain = 10_000 } = options;
    checkLimit('drain', drain);
    return this.#keeper.close(drain);
  }

  /** Closes gracefully at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * A pool of connections to one place: dialled when they are needed, up to `max`, and used again, the last to be given back
 * first, instead of being closed.
 *
 * While a connection lies idle the pool reads it. A peer that hangs up is noticed, and so are bytes that nobody had asked
 * for, the late rest of an answer for example: such a connection is not given out again. What the kernel has not told
 * yet, or a network that has failed in silence, nobody can know: that is what `validate` is for. A protocol in which the
 * server speaks by itself between two exchanges cannot be pooled.
 *
 * Half-close: a connection on which either side has ended is not used again, whatever `allowHalfOpen` says, so an exchange
 * must not end with FIN. The sockets' own `keepOpen` does not matter; their `idleTimeout` and `signal` do. An idle
 * connection keeps the process alive until its `idleTimeout`: `close()` the pool when it is not needed any more.
 *
 * @param factory Makes a new socket at each call: TCP, TLS, UNIX or any other.
 * @throws TypeError or RangeError at the call, for options that mean nothing, those of the factory's socket too.
 *
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
 * pool.acquire().subscribe((socket) => console.log('yours until you unsubscribe', socket.remote));
 * ```
 */
export function connectionPool(factory: () => Socket, options: ConnectionPoolOptions = {}): ConnectionPool {
  const limits = resolvePoolOptions(options);
  return new ConnectionPool(new PoolConnections(new SocketFactory(factory, 'connectionPool'), limits));
}
