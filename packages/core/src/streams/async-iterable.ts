// toAsyncIterable(): an Observable as an async iterable.
import type { Observable } from 'rxjs';
import { checkCount, checkOptions } from '../base/check.js';
import { iterate } from '../flow/iterate.js';

/** Options of {@link toAsyncIterable}. */
export interface ToAsyncIterableOptions {
  /**
   * How many values may be read ahead before the sources are held. 0 reads nothing ahead, Infinity means no limit.
   * @defaultValue 0
   */
  readonly highWaterMark?: number | undefined;
}

/**
 * Converts an Observable to an async iterable. Each `for await` loop subscribes. Leaving the loop unsubscribes; if the
 * source is `socket.pipe(data())`, the bytes that were not pulled are there for the socket's next reader.
 *
 * **Half-close**: the loop ends when the source completes.
 *
 * **Backpressure**: the sources are held while values wait to be pulled.
 *
 * @returns An async iterable. Its `next()` rejects with what the source fails with, after the values before it.
 * @throws At the call: TypeError or RangeError for an invalid option.
 * @throws As a rejection: what the source fails with; {@link BackpressureOverflowError} (`ERR_BACKPRESSURE_OVERFLOW`)
 * if 65,536 values more than `highWaterMark` wait and the source cannot be held.
 *
 * @example
 * ```ts
 * import { connect, data, lines, toAsyncIterable } from '@rxsock/core';
 *
 * for await (const line of toAsyncIterable(connect({ port: 79 }).pipe(data(), lines()))) console.log(line);
 * ```
 */
export function toAsyncIterable<T>(
  source: Observable<T>,
  options: ToAsyncIterableOptions = {},
): { [Symbol.asyncIterator](): AsyncIterableIterator<T> } {
  checkOptions(options, '{ highWaterMark: 16 }');
  const { highWaterMark = 0 } = options;
  checkCount('highWaterMark', highWaterMark);
  return { [Symbol.asyncIterator]: () => iterate(source, highWaterMark) };
}
