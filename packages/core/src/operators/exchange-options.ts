// The options of exchange(). Every default limit is finite.
import type { SchedulerLike } from 'rxjs';
import { checkFunction, checkOptions, checkScheduler, checkSize, checkTimeout } from '../base/check.js';

/** Options of {@link exchange}. */
export interface ExchangeOptions<T, U = T> {
  /**
   * Returns what a request and its reply have in common, such as an id. It is called with every request and with every
   * message of the peer. For a message that replies to nothing it returns `undefined`. Without this option, replies come
   * in the order of the requests, and a greeting would be taken for a reply: read it first, or use `isPush`.
   *
   * @defaultValue none: in order
   */
  readonly key?: ((message: T | U) => unknown) | undefined;
  /**
   * Whether the peer sent a message on its own: it is then in `unsolicited`, and replies to nothing.
   *
   * @defaultValue `() => false`
   */
  readonly isPush?: ((message: T) => boolean) | undefined;
  /**
   * Whether a message is the last one of its reply, for protocols whose replies have several messages.
   *
   * @defaultValue `() => true`
   */
  readonly isLast?: ((message: T) => boolean) | undefined;
  /**
   * How long the whole reply may take, in milliseconds, from the request on. The time stands still while
   * somebody holds the socket. 0 and Infinity mean no limit.
   *
   * @defaultValue 30,000
   */
  readonly timeout?: number | undefined;
  /**
   * How many requests may wait for their replies. A request that was left or that was late counts until its reply has
   * come, because the peer still owes it; with `key`, the oldest of these makes room. Infinity means no limit.
   *
   * @defaultValue 1,024
   */
  readonly maxPending?: number | undefined;
  /** Runs the timeout. @defaultValue that of the socket; over a reconnecting socket, `asyncScheduler` while there is none */
  readonly scheduler?: SchedulerLike | undefined;
}

/** {@link ExchangeOptions} with the default limits filled in. */
export type ExchangeLimits<T, U = T> = ExchangeOptions<T, U> & {
  readonly timeout: number;
  readonly maxPending: number;
};

/** Fills in the default limits. Throws a TypeError or RangeError for an option that is not valid. */
export function resolveExchangeOptions<T, U>(options: ExchangeOptions<T, U>): ExchangeLimits<T, U> {
  checkOptions(options, '{ timeout: 5000 }');
  const { key, isPush, isLast, timeout = 30_000, maxPending = 1024, scheduler } = options;
  for (const [name, value] of Object.entries({ key, isPush, isLast })) {
    if (value !== undefined) checkFunction(name, value);
  }
  checkTimeout('timeout', timeout);
  checkSize('maxPending', maxPending);
  if (scheduler !== undefined) checkScheduler('scheduler', scheduler);
  return { ...options, timeout, maxPending };
}
