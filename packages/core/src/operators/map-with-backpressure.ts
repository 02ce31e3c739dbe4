// mapWithBackpressure(): mergeMap with a bounded queue that holds its sources while it is full.
import { from, type ObservableInput, type OperatorFunction, type Subscriber } from 'rxjs';
import { bindContext } from '../base/async-context.js';
import { checkBoolean, checkFunction, checkOneOf, checkOptions, checkSize, typeError } from '../base/check.js';
import { BackpressureOverflowError } from '../base/errors.js';
import { isLocalDecision } from '../base/local-decision.js';
import { Queue } from '../base/queue.js';
import type { Flow } from '../flow/flow.js';
import { FlowSet } from '../flow/flow-set.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { flowable } from '../flow/flowable.js';
import { Brake, Holds, pathTo } from '../flow/holds.js';

/** Options of {@link mapWithBackpressure}. */
export interface MapWithBackpressureOptions {
  /** How many projections run at a time. Infinity means no limit. @defaultValue 1 */
  readonly concurrency?: number | undefined;
  /** Whether results are emitted in the order of their values. @defaultValue `true` */
  readonly ordered?: boolean | undefined;
  /** How many values may wait before the sources are held. Infinity means no limit. @defaultValue 16 */
  readonly highWaterMark?: number | undefined;
  /**
   * What happens to a value when the queue is full and the sources cannot be held. `error`: the result fails with a
   * {@link BackpressureOverflowError}. `dropOldest`, `dropNewest`: a value is dropped. The same applies to the results
   * of a projection, if more than `highWaterMark` + 65,536 of them wait for their turn or for a consumer that holds.
   * @defaultValue `'error'`
   */
  readonly overflow?: 'error' | 'dropOldest' | 'dropNewest' | undefined;
  /** Another flow to hold, for a pipeline behind a Subject, which hides its sources. @defaultValue none */
  readonly flow?: Flow | undefined;
}

/** How many values may still come after a hold: the frames of one chunk, at most one for each byte. */
const SLACK = 65_536;

/** One running projection, and its results that wait. */
interface Slot<R> {
  readonly results: Queue<R>;
  readonly brake: Brake;
  done: boolean;
}

/**
 * Projects each value to an Observable, Promise or iterable and merges the results, as `mergeMap` does, but with a
 * bounded queue. When `highWaterMark` values wait, every source that reaches the operator is held, and the peer at the
 * other end of the wire waits too. A projection must not wait for more input from its own source: that source waits for
 * the projection.
 *
 * **Half-close**: completes when the source has completed and all projections are done. An error of the source, such as
 * a reset by the peer, also comes after the results of the values before it. What this side decides about a socket,
 * such as an abort or a time limit, comes at once.
 *
 * **Backpressure**: holds its sources, and can itself be held. Inner Observables are held while their results wait.
 *
 * @param project Called with a value and its index, from 0.
 * @throws At the call: TypeError or RangeError for an invalid argument or option.
 * @throws As a notification: {@link BackpressureOverflowError} (`ERR_BACKPRESSURE_OVERFLOW`) if the queue is full, the
 * sources cannot be held and `overflow` is `error`; what `project` throws, and what its results and the source fail
 * with.
 *
 * @example
 * ```ts
 * import { connect, data, lines, mapWithBackpressure } from '@rxsock/core';
 *
 * declare function save(line: string): Promise<number>;
 * connect({ port: 514 })
 *   .pipe(data(), lines(), mapWithBackpressure(save, { concurrency: 4 }))
 *   .subscribe((id) => console.log('saved', id));
 * ```
 */
export function mapWithBackpressure<T, R>(
  project: (value: T, index: number) => ObservableInput<R>,
  options: MapWithBackpressureOptions = {},
): OperatorFunction<T, R> {
  checkOptions(options, '{ concurrency: 4 }');
  const { concurrency = 1, ordered = true, highWaterMark = 16, overflow = 'error', flow } = options;
  checkFunction('project', project);
  checkSize('concurrency', concurrency);
  checkBoolean('ordered', ordered);
  checkSize('highWaterMark', highWaterMark);
  checkOneOf('overflow', overflow, ['error', 'dropOldest', 'dropNewest']);
  if (flow !== undefined && typeof flow?.hold !== 'function') throw typeError('flow', 'a Flow, with hold()', flow);
  return (source) =>
    flowable((subscriber, join) => {
      const upstream = new FlowSet();
      const brake = new Brake(upstream, () => pathTo(holds, 'mapWithBackpressure') || 'mapWithBackpressure');
      const removeGivenFlow = flow && upstream.add(flow);
      const queue = new Queue<T>();
      const slots: Slot<R>[] = [];
      let index = 0;
      /** How the source has ended. */
      let end: { readonly error?: unknown } | undefined;
      let starting = false;
      let flushing = false;
      let flushAgain = false;

      const holds = new Holds(bindContext(() => work()));
      // A source that cannot be held has brought its values already. Keeping them for the next turn would only fill the
      // queue, and values could be dropped that the consumer has room for.
      const isHeld = () => holds.held && (upstream.size > 0 || !holds.endsNextTurn);
      const isFull = () => (isHeld() || slots.length >= concurrency) && queue.length >= highWaterMark;

      /**
       * Adds a value to a bounded queue. Returns `false` if the queue was full and the subscriber has received an
       * error.
       */
      const enqueue = <V>(into: Queue<V>, value: V, limit: number): boolean => {
        if (into.length < limit) into.push(value);
        else if (overflow === 'dropOldest') {
          into.push(value);
          into.shift();
        } else if (overflow === 'error') {
          const remedy = 'create it with flowFrom(), pass { flow }, or choose an overflow policy';
          const message = `${into.length} values wait and their source cannot be held: ${remedy}`;
          subscriber.error(new BackpressureOverflowError(message, { limit: highWaterMark }));
          return false;
        }
        return true;
      };
      const startProjection = (value: T) => {
        const flows = new FlowSet();
        const slot: Slot<R> = { results: new Queue(), brake: new Brake(flows, 'mapWithBackpressure'), done: false };
        slots.push(slot);
        const inner = new FlowSubscriber<R>(
          subscriber as never,
          {
            next: (result) => {
              if (!enqueue(slot.results, result, highWaterMark + SLACK)) return;
              work();
              if (slot.results.length > 0) slot.brake.on();
            },
            complete: () => {
              slot.done = true;
              work();
            },
          },
          flows,
        );
        from(project(value, index++)).subscribe(inner);
      };
      const emitResults = () => {
        for (let at = 0; at < slots.length && !isHeld() && !subscriber.closed; ) {
          const slot = slots[at] as Slot<R>;
          while (slot.results.length > 0 && !isHeld()) subscriber.next(slot.results.shift() as R);
          if (slot.done && slot.results.length === 0) slots.splice(at, 1);
          else if (ordered) break;
          else at++;
        }
      };
      // Emits what may be emitted, and releases the inner sources whose results were all emitted. Both may bring more
      // results.
      const flush = () => {
        flushAgain = true;
        if (flushing) return;
        flushing = true;
        while (flushAgain) {
          flushAgain = false;
          emitResults();
          for (const slot of [...slots]) if (slot.results.length === 0) slot.brake.off();
        }
        flushing = false;
      };
      const startProjections = () => {
        starting = true;
        try {
          while (queue.length > 0 && slots.length < concurrency && !isHeld() && !subscriber.closed) {
            startProjection(queue.shift() as T);
            flush();
          }
        } catch (error) {
          subscriber.error(error);
        } finally {
          starting = false;
        }
      };
      // A nested call starts no projections: the outer call does so, when its loop continues.
      const work = () => {
        const outermost = !starting && !flushing;
        flush();
        if (outermost) startProjections();
        if (subscriber.closed) return;
        if (end && queue.length === 0 && slots.length === 0) passEnd(end, subscriber);
        else if (!end && isFull()) brake.on();
        else if (end || queue.length <= highWaterMark / 2) brake.off();
      };
      const receive = (value: T) => {
        const limit = highWaterMark + (upstream.size > 0 ? SLACK : 0);
        if (enqueue(queue, value, isFull() ? limit : Number.POSITIVE_INFINITY)) work();
      };

      join(holds);
      source.subscribe(
        new FlowSubscriber<T>(
          subscriber as never,
          {
            next: receive,
            error: (error) => {
              if (isLocalDecision(error)) return subscriber.error(error);
              end = { error };
              work();
            },
            complete: () => {
              end = {};
              work();
            },
          },
          upstream,
        ),
      );
      return () => {
        queue.clear();
        removeGivenFlow?.();
      };
    });
}

function passEnd(end: { readonly error?: unknown }, subscriber: Subscriber<never>): void {
  if ('error' in end) subscriber.error(end.error);
  else subscriber.complete();
}
