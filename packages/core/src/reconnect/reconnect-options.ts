// What reconnect() can be told, and the defaults: all limits are finite.
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { checkLimit } from '../engine/limits.js';
import { checkOneOf } from '../framing/options.js';
import type { BackoffOptions } from './backoff.js';

/** Options of {@link reconnect}. */
export interface ReconnectOptions {
  /** How long to wait between attempts. */
  readonly backoff?: BackoffOptions;
  /**
   * How many attempts are made, one after the other, since the last connection that lasted, before the link fails with
   * {@link ReconnectError}; 0 = none, Infinity = for ever. By default they take about seven minutes, and as long as each
   * of them takes to fail.
   * @defaultValue 20
   */
  readonly maxRetries?: number;
  /**
   * The most bytes that may wait for a connection before the chunk at hand; what is over it goes by `overflow`.
   * @defaultValue 1,048,576
   */
  readonly maxWriteBuffer?: number;
  /**
   * What becomes of a chunk over `maxWriteBuffer`. `error`: the link fails with {@link WriteBufferOverflowError}.
   * `dropOldest`, `dropNewest`: chunks are dropped whole, each told by an `overflow` event. Where a chunk came by
   * `write()`, the writer alone is told, by a rejection.
   * @defaultValue `'error'`
   */
  readonly overflow?: 'error' | 'dropOldest' | 'dropNewest';
  /** Aborts the link. */
  readonly signal?: AbortSignal;
  /** Where its turns and timers go; that of the sockets is their own. @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}

/** {@link ReconnectOptions} with every default filled in. */
export type ReconnectLimits = Required<Omit<ReconnectOptions, 'backoff' | 'signal'>> & {
  readonly signal: AbortSignal | undefined;
};

/** Fills in the defaults and refuses what means nothing. */
export function resolveReconnectOptions(options: ReconnectOptions): ReconnectLimits {
  const limits: ReconnectLimits = {
    maxRetries: options.maxRetries ?? 20,
    maxWriteBuffer: options.maxWriteBuffer ?? 1_048_576,
    overflow: options.overflow ?? 'error',
    signal: options.signal,
    scheduler: options.scheduler ?? asyncScheduler,
  };
  checkLimit('maxRetries', limits.maxRetries);
  checkLimit('maxWriteBuffer', limits.maxWriteBuffer);
  checkOneOf('overflow', limits.overflow, ['error', 'dropOldest', 'dropNewest']);
  return limits;
}
