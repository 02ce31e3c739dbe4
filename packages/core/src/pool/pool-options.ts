// The options of connectionPool() and their defaults. Every default limit is finite.
import { asyncScheduler, type ObservableInput, type SchedulerLike } from 'rxjs';
import {
  checkCount,
  checkFunction,
  checkOptions,
  checkScheduler,
  checkSize,
  checkTimeout,
  type WithDefaults,
} from '../base/check.js';
import { resolveSetup, type SetupOptions } from '../reconnect/setup.js';
import type { Socket } from '../socket.js';

/** Options of {@link connectionPool}. All times are in milliseconds. */
export interface ConnectionPoolOptions extends SetupOptions {
  /**
   * How many connections the pool may have at once; closing ones do not count. Infinity means no limit.
   * @defaultValue 10
   */
  readonly max?: number | undefined;
  /**
   * How long a connection may be idle before it is closed, in milliseconds. 0 and Infinity mean no limit.
   * @defaultValue 30,000
   */
  readonly idleTimeout?: number | undefined;
  /**
   * How long `acquire()` may wait for a connection, including dialling, `setup` and `validate`, in milliseconds. 0 and Infinity
   * mean no limit.
   * @defaultValue 30,000
   */
  readonly acquireTimeout?: number | undefined;
  /**
   * How many `acquire()` calls may wait while all `max` connections are in use. 0 means none, Infinity means no limit.
   * @defaultValue 1,000
   */
  readonly maxWaiting?: number | undefined;
  /**
   * Called before an idle connection is used again. Return `true` if it still works. It may exchange messages with the
   * peer, but must read the whole answer. After any other result, or an error, the pool aborts the connection and takes
   * another. It runs in the `AsyncLocalStorage` context of the user who waits. To check a new connection before its
   * first use too, do so in `setup`, and throw if it does not work.
   * @defaultValue none: connections are used again without a check
   */
  readonly validate?: ((socket: Socket) => boolean | ObservableInput<boolean>) | undefined;
  /** How long `validate` may take, in milliseconds. 0 and Infinity mean no limit. @defaultValue 5,000 */
  readonly validateTimeout?: number | undefined;
  /** Runs the timers of the pool. Its sockets have their own scheduler. @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike | undefined;
}

/** {@link ConnectionPoolOptions} with every default filled in. */
export type PoolLimits = WithDefaults<Omit<ConnectionPoolOptions, 'validate' | 'setup'>> &
  Pick<ConnectionPoolOptions, 'validate'> &
  ReturnType<typeof resolveSetup>;

/** Fills in the defaults. Throws a TypeError or RangeError for an option that is not valid. */
export function resolvePoolOptions(options: ConnectionPoolOptions): PoolLimits {
  checkOptions(options, '{ max: 4 }');
  const { max = 10, idleTimeout = 30_000, acquireTimeout = 30_000, maxWaiting = 1_000 } = options;
  const { validate, validateTimeout = 5_000, scheduler = asyncScheduler } = options;
  checkSize('max', max);
  for (const [name, value] of Object.entries({ idleTimeout, acquireTimeout, validateTimeout }))
    checkTimeout(name, value);
  checkCount('maxWaiting', maxWaiting);
  if (validate !== undefined) checkFunction('validate', validate, 'a function that takes a socket');
  checkScheduler('scheduler', scheduler);
  const limits = { max, idleTimeout, acquireTimeout, maxWaiting, validate, validateTimeout, scheduler };
  return { ...limits, ...resolveSetup(options) };
}
