// toAsyncIterable(): an Observable, pulled.
import type { Observable } from 'rxjs';
import { BackpressureOverflowError } from '../base/errors.js';
import { Queue } from '../base/queue.js';
import { checkLimit } from '../engine/limits.js';
import { Brake, FlowSet } from '../flow/flow.js';
import { FlowSubscriber } from '../flow/flowable.js';
import { giveBack } from '../operators/give-back.js';

/** Options of {@link toAsyncIterable}. */
export interface ToAsyncIterableOptions {
  /** How many values may be taken ahead of the pulls before the sources are held. @defaultValue 0 */
  readonly highWaterMark?: number;
}

/** What may wait when the sources were held but one chunk's values, or those of a source that cannot be held, still come. */
const SLACK = 65_536;

/**
 * An Observable as an async iterable. Each `for await` subscribes; its sources are held while values wait to be pulled.
 *
 * Half-close: the loop ends when the source completes. Leaving the loop unsubscribes;
 * of the plain bytes of a socket, what was not pulled is there for its next reader. Throws what the source fails with,
 * after the values before it.
 *
 * @throws {@link BackpressureOverflowError} if the sources cannot be held and 65,536 values wait.
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
  { highWaterMark = 0 }: ToAsyncIterableOptions = {},
): { [Symbol.asyncIterator](): AsyncIterableIterator<T> } {
  checkLimit('highWaterMark', highWaterMark);
  return { [Symbol.asyncIterator]: () => pull(source, highWaterMark) };
}

function pull<T>(source: Observable<T>, highWaterMark: number): AsyncIterableIterator<T> {
  const flows = new FlowSet();
  const queue = new Queue<T>();
  const waiting: { resolve(result: IteratorResult<T>): void; reject(error: unknown): void }[] = [];
  let end: { readonly error?: unknown } | undefined;
  const brake = new Brake(flows, 'toAsyncIterable');

  const settle = () => {
    while (waiting.length > 0 && (queue.length > 0 || end)) {
      const { resolve, reject } = waiting.shift() as (typeof waiting)[number];
      if (queue.length > 0) resolve({ done: false, value: queue.shift() as T });
      else if (end && 'error' in end) {
        reject(end.error);
        end = {};
      } else resolve({ done: true, value: undefined });
    }
    if (queue.length >= highWaterMark && waiting.length === 0) brake.on();
    else brake.off();
  };
  const stop = (last: { readonly error?: unknown }) => {
    end ??= last;
    settle();
  };
  const subscriber = new FlowSubscriber<T>(
    undefined,
    {
      next: (value) => {
        queue.push(value);
        if (queue.length > highWaterMark + SLACK) {
          const message = `${queue.length} values wait to be pulled and their source cannot be held: make it with flowFrom()`;
          stop({ error: new BackpressureOverflowError(message, { limit: highWaterMark }) });
          subscriber.unsubscribe();
        } else settle();
      },
      error: (error) => stop({ error }),
      complete: () => stop({}),
    },
    flows,
  );
  let subscribed = false;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      const result = new Promise<IteratorResult<T>>((resolve, reject) => waiting.push({ resolve, reject }));
      if (subscribed || end) settle();
      else {
        subscribed = true;
        source.subscribe(subscriber);
      }
      return result;
    },
    async return() {
      const unused: T[] = [];
      while (queue.length > 0) unused.push(queue.shift() as T);
      subscriber.unsubscribe();
      for (const value of unused.reverse()) if (value instanceof Uint8Array) giveBack(source, value, subscriber);
      end = {};
      settle();
      return { done: true, value: undefined };
    },
  };
}
