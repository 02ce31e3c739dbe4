// One acquire() that waits for a connection.
import type { SchedulerLike, Subscriber } from 'rxjs';
import { ContextSubscriber } from '../base/async-context.js';
import { Deadline } from '../base/deadline.js';
import type { Socket } from '../socket.js';
import { PoolError } from './errors.js';
import type { PoolLimits } from './pool-options.js';
import type { PooledConnection } from './pooled-connection.js';

/** The pool of a call. */
export interface AcquiredPool {
  /** Where the calls wait. */
  readonly waiting: Set<PendingAcquire>;
  /** Describes the pool, for the message of a timeout. */
  describe(): string;
  /** The call fails. */
  acquireFailed(error: unknown): void;
}

export class PendingAcquire {
  /** The connection it got. */
  connection: PooledConnection | undefined;
  readonly #subscriber: ContextSubscriber<Socket>;
  readonly #pool: AcquiredPool;
  readonly #scheduler: SchedulerLike;
  readonly #deadline: Deadline;

  constructor(subscriber: Subscriber<Socket>, { scheduler, acquireTimeout }: PoolLimits, pool: AcquiredPool) {
    this.#subscriber = new ContextSubscriber(subscriber);
    this.#pool = pool;
    this.#scheduler = scheduler;
    this.#deadline = new Deadline(scheduler, acquireTimeout, () => {
      const message =
        `No connection was available within acquireTimeout (${acquireTimeout} ms): ${pool.describe()}; ` +
        'release connections sooner, or raise max or acquireTimeout';
      this.fail(new PoolError(message, { code: 'ERR_POOL_TIMEOUT' }));
    });
  }

  /** Joins the end of the queue. */
  wait(): void {
    this.#pool.waiting.add(this);
    this.#deadline.start();
  }

  /** Leaves the queue. */
  leave(): void {
    this.#deadline.stop();
    this.#pool.waiting.delete(this);
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
    this.#pool.acquireFailed(error);
    this.#subscriber.error(error);
  }

  /** Fails on the next turn, so that `retry()` does not spin. */
  failLater(error: unknown): void {
    this.leave();
    this.#pool.acquireFailed(error);
    this.#subscriber.add(this.#scheduler.schedule(() => this.#subscriber.error(error)));
  }
}
