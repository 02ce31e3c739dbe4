// What connectionPool() can be told, and the defaults: all limits are finite.
import { asyncScheduler, type ObservableInput, type SchedulerLike } from 'rxjs';
import { checkLimit } from '../engine/limits.js';
import { checkInteger } from '../framing/options.js';
import type { Socket } from '../socket.js';

/** Options of {@link connectionPool}. All times are in milliseconds. */
export interface ConnectionPoolOptions {
  /** How many connections there may be at a time, not counting those that are closing. @defaultValue 10 */
  readonly max?: number;
  /** How long a connection may lie idle before it is closed, in milliseconds; 0 = for ever. @defaultValue 30,000 */
  readonly idleTimeout?: number;
  /**
   * How long `acquire()` may take in all, dialling and validating included, in milliseconds; 0 = for ever.
   * @defaultValue 30,000
   */
  readonly acquireTimeout?: number;
  /** How many may wait while all `max` connections are taken; Infinity = any number. @defaultValue 1,000 */
  readonly maxWaiting?: number;
  /**
   * Asked before a connection is used again, not before its first use: `true` says that it is good. It may talk to the
   * peer, and has to have read the answer to its end. What it throws, or fails with, means no. Default: none is asked.
   */
  readonly validate?: (socket: Socket) => boolean | ObservableInput<boolean>;
  /** How long `validate` may take, in milliseconds; 0 = for ever. @defaultValue 5,000 */
  readonly validateTimeout?: number;
  /** Where its timers go; that of the sockets is their own. @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}

/** {@link ConnectionPoolOptions} with every default filled in. */
export type PoolLimits = Required<Omit<ConnectionPoolOptions, 'validate'>> & Pick<ConnectionPoolOptions, 'validate'>;

/** Fills in the defaults and refuses what means nothing. */
export function resolvePoolOptions(options: ConnectionPoolOptions): PoolLimits {
  const limits = {
    max: options.max ?? 10,
    idleTimeout: options.idleTimeout ?? 30_000,
    acquireTimeout: options.acquireTimeout ?? 30_000,
    maxWaiting: options.maxWaiting ?? 1_000,
    validateTimeout: options.validateTimeout ?? 5_000,
  };
  checkInteger('max', limits.max, 1);
  for (const [name, value] of Object.entries(limits)) checkLimit(name, value);
  const { validate, scheduler = asyncScheduler } = options;
  if (validate === undefined) return { ...limits, scheduler };
  if (typeof validate !== 'function') throw new TypeError('validate must be a function that takes a socket');
  return { ...limits, scheduler, validate };
}
