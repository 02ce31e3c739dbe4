// The options of reconnect() and their defaults. Every default limit is finite.
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import {
  checkCount,
  checkFunction,
  checkOneOf,
  checkOptions,
  checkScheduler,
  checkSignal,
  checkSize,
  type WithDefaults,
} from '../base/check.js';
import type { SocketError } from '../base/errors.js';
import type { BackoffOptions } from './backoff.js';
import { resolveSetup, type Setup, type SetupOptions } from './setup.js';

/** Options of {@link reconnect}. */
export interface ReconnectOptions extends SetupOptions {
  /** How long to wait before dialling again. @defaultValue the defaults of {@link BackoffOptions} */
  readonly backoff?: BackoffOptions | undefined;
  /**
   * How many times in a row to dial again before the reconnecting socket fails with {@link ReconnectError}. 0 means
   * never, Infinity means no limit. A connection that stayed open for `backoff.resetAfter` starts the count again. With
   * all defaults the delays add up to about seven minutes, plus the time that each attempt takes to fail.
   * @defaultValue 20
   */
  readonly maxRetries?: number | undefined;
  /**
   * Whether to dial again after this error; `undefined` if both sides ended with FIN. Return `false` for an error that
   * no attempt can mend, such as a wrong password: the reconnecting socket then fails with it, or completes if there is
   * none. Called after the `disconnect` event.
   * @defaultValue `() => true`
   */
  readonly shouldRetry?: ((error: SocketError | undefined) => boolean) | undefined;
  /**
   * How many bytes may wait to be written. If more wait when a chunk comes, `overflow` says what happens. A single
   * chunk may be larger. Infinity means no limit.
   * @defaultValue 1,048,576
   */
  readonly maxWriteBuffer?: number | undefined;
  /**
   * What happens to a chunk when more than `maxWriteBuffer` bytes wait. `error`: the reconnecting socket fails with
   * {@link WriteBufferOverflowError}. `dropOldest`, `dropNewest`: whole chunks are dropped, with an `overflow` event
   * for each. A chunk of `write()` that is refused or dropped only rejects its promise, with any of the three.
   * @defaultValue `'error'`
   */
  readonly overflow?: 'error' | 'dropOldest' | 'dropNewest' | undefined;
  /** Aborts the reconnecting socket. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Runs the timers of the reconnecting socket. Its sockets have their own scheduler.
   * @defaultValue `asyncScheduler`
   */
  readonly scheduler?: SchedulerLike | undefined;
}

/** {@link ReconnectOptions} with every default filled in. */
export type ReconnectLimits = WithDefaults<Omit<ReconnectOptions, 'backoff' | 'signal' | 'setup'>> & {
  readonly signal: AbortSignal | undefined;
  readonly setup: Setup | undefined;
};

/** Fills in the defaults. Throws a TypeError or RangeError for an option that is not valid. */
export function resolveReconnectOptions(options: ReconnectOptions): ReconnectLimits {
  checkOptions(options, '{ maxRetries: 5 }');
  const {
    maxRetries = 20,
    shouldRetry = () => true,
    maxWriteBuffer = 1_048_576,
    overflow = 'error',
    signal,
    scheduler = asyncScheduler,
  } = options;
  checkCount('maxRetries', maxRetries);
  checkFunction('shouldRetry', shouldRetry);
  checkSize('maxWriteBuffer', maxWriteBuffer);
  checkOneOf('overflow', overflow, ['error', 'dropOldest', 'dropNewest']);
  if (signal !== undefined) checkSignal('signal', signal);
  checkScheduler('scheduler', scheduler);
  return { maxRetries, shouldRetry, maxWriteBuffer, overflow, signal, scheduler, ...resolveSetup(options) };
}
