// One acquire() that waits for a connection.
import type { SchedulerLike, Subscriber } from 'rxjs';
import { ContextSubscriber } from '../base/async-context.js';
import { Deadline } from '../base/deadline.js';
import type { Socket } from '../socket.js';
import { PoolError } from './errors.js';
import type { PoolLimits } from './pool-options.js';
import type { PooledConnection } from './pooled-connection.js';

export class PendingAcquire {
  /** The connection it got. */
  connection: PooledConnection | undefined;
  readonly #subscriber: ContextSubscriber<Socket>;
  readonly #queue: Set<PendingAcquire>;
  readonly #scheduler: SchedulerLike;
  readonly #deadline: Deadline;

  /**
   * @param queue Where it waits.
   * @param poolState Describes the pool, for the message of a timeout.
   */
  constructor(
    subscriber: Subscriber<Socket>,
    queue: Set<PendingAcquire>,
    { scheduler, acquireTimeout }: PoolLimits,
    poolState: () => string,
  ) {
    this.#subscriber = new ContextSubscriber(subscriber);
    this.#queue = queue;
    this.#scheduler = scheduler;
    this.#deadline = new Deadline(scheduler, acquireTimeout, () => {
      const message =
        `No connection was available within acquireTimeout (${acquireTimeout} ms): ${poolState()}; ` +
        'release connections sooner, or raise max or acquireTimeout';
      this.fail(new PoolError(message, { code: 'ERR_POOL_TIMEOUT' }));
    });
  }

  /** Joins the end of the queue. */
  wait(): void {
    this.#queue.add(this);
    this.#deadline.start();
  }

  /** Leaves the queue. */
  leave(): void {
    this.#deadline.stop();
    this.#queue.delete(this);
  }

  /** Calls a function in the context of the code that called acquire(). */
  runInContext(run: () => void): void {
    this.#subscriber.context.runInAsyncScope(run);
  }

  resolve(connection: PooledConnection): void {
    this.leave();
    this.connection = connection;
    this.#subscriber.next(connection.socket);
  }

  fail(error: unknown): void {
    this.leave();
    this.#subscriber.error(error);
  }

  /** Fails on the next turn, so that `retry()` does not spin. */
  failLater(error: unknown): void {
    this.leave();
    this.#subscriber.add(this.#scheduler.schedule(() => this.#subscriber.error(error)));
  }
}
