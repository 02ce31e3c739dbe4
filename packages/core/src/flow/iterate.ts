// iterate(): pulls the values of an Observable one at a time. The sources are held while nobody pulls.
import type { Observable } from 'rxjs';
import { BackpressureOverflowError } from '../base/errors.js';
import { isLocalDecision } from '../base/local-decision.js';
import { Queue } from '../base/queue.js';
import { unread } from './byte-source.js';
import { FlowSet } from './flow-set.js';
import { FlowSubscriber } from './flow-subscriber.js';
import { Brake } from './holds.js';

/** How many values may wait beyond `highWaterMark`: after a hold, the values of one chunk may still come. */
const SLACK = 65_536;

/** Listeners of iterators that {@link iterate} has made. */
const decisionListeners = new WeakMap<object, (error: unknown) => void>();

/**
 * Calls `listener` at once if this side ends the source of an iterator of {@link iterate} with an error. Of another
 * iterator nothing is known but what its `next()` says.
 */
export function onLocalDecisionOf(iterator: object, listener: (error: unknown) => void): void {
  decisionListeners.set(iterator, listener);
}

/** A `next()` that waits for a value. */
interface Waiter<T> {
  resolve(result: IteratorResult<T>): void;
  reject(error: unknown): void;
}

/**
 * Subscribes at the first `next()`. `return()` unsubscribes. Queued bytes that nobody has pulled go back to their
 * socket.
 * @param highWaterMark How many values may wait before the sources are held.
 * @param onLocalDecision Called at once if this side ends the source with an error, for a consumer that may not pull
 * now.
 */
export function iterate<T>(
  source: Observable<T>,
  highWaterMark: number,
  onLocalDecision?: (error: unknown) => void,
): AsyncIterableIterator<T> {
  const flows = new FlowSet();
  const brake = new Brake(flows, 'toAsyncIterable');
  const queue = new Queue<T>();
  const waiters = new Queue<Waiter<T>>();
  let end: { readonly error?: unknown } | undefined;
  let subscribed = false;

  const settle = () => {
    while (waiters.length > 0 && (queue.length > 0 || end)) {
      const { resolve, reject } = waiters.shift() as Waiter<T>;
      if (queue.length > 0) resolve({ done: false, value: queue.shift() as T });
      else if (end && 'error' in end) {
        reject(end.error);
        end = {};
      } else resolve({ done: true, value: undefined });
    }
    if (queue.length >= highWaterMark && waiters.length === 0) brake.on();
    else brake.off();
  };
  const finish = (how: { readonly error?: unknown }) => {
    end ??= how;
    settle();
  };
  const fail = (error: unknown) => {
    // An error of this side overtakes the values that wait.
    if (isLocalDecision(error)) queue.clear();
    finish({ error });
    if (!isLocalDecision(error)) return;
    onLocalDecision?.(error);
    decisionListeners.get(iterator)?.(error);
  };
  const receive = (value: T) => {
    queue.push(value);
    if (queue.length <= highWaterMark + SLACK) return settle();
    const remedy = 'create it with flowFrom()';
    const message = `${queue.length} values wait to be pulled and their source cannot be held: ${remedy}`;
    finish({ error: new BackpressureOverflowError(message, { limit: highWaterMark }) });
    subscriber.unsubscribe();
  };
  const subscriber = new FlowSubscriber<T>(
    undefined,
    { next: receive, error: fail, complete: () => finish({}) },
    flows,
  );

  const iterator: AsyncIterableIterator<T> = {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      const result = new Promise<IteratorResult<T>>((resolve, reject) => waiters.push({ resolve, reject }));
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
      // Before it leaves: then the socket goes on behind these bytes. Held, so that nobody receives the last one first.
      brake.on();
      for (const value of unused.reverse()) if (value instanceof Uint8Array) unread(source, value, subscriber);
      subscriber.unsubscribe();
      end = {};
      settle();
      return { done: true, value: undefined };
    },
  };
  return iterator;
}
