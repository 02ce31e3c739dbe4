// mapWithBackpressure(): mergeMap with a bounded queue that holds its sources while it is full.
import { from, type ObservableInput, type OperatorFunction } from 'rxjs';
import { checkLimit } from '../engine/options.js';
import { BackpressureOverflowError } from '../errors.js';
import { type Flow, FlowSet, FlowSubscriber, flowable, Holds, type Release } from '../flow.js';

/** Options of {@link mapWithBackpressure}. */
export interface MapWithBackpressureOptions {
  /** How many projections run at a time. @defaultValue 1 */
  readonly concurrency?: number;
  /** Whether results come in the order of their values. @defaultValue `true` */
  readonly ordered?: boolean;
  /** How many values may wait before the sources are held. @defaultValue 16 */
  readonly highWaterMark?: number;
  /**
   * What happens to a value that comes when the queue is full and the sources cannot be held: an error
   * ({@link BackpressureOverflowError}), or the oldest or the newest is dropped.
   * @defaultValue `'error'`
   */
  readonly overflow?: 'error' | 'dropOldest' | 'dropNewest';
  /** Something to hold besides the sources that are found, for pipelines behind a Subject. */
  readonly flow?: Flow;
}

/** One chunk of a framer that does not stop inside it may still come after a hold: at most a frame a byte. */
const SLACK = 65_536;

interface Slot<R> {
  readonly results: R[];
  readonly flows: FlowSet;
  hold: Release | undefined;
  done: boolean;
}

/**
 * Projects each value to an Observable, Promise or iterable and merges the results, as `mergeMap` does, with a queue that
 * has an end: when `highWaterMark` values wait, every source that reaches it is held, and the peer at the other end of the
 * wire has to wait too. A projection must not wait for further input of its own source.
 *
 * Half-close: completes when the source has and all projections are done. Backpressure: both ways; it can itself be held.
 *
 * @throws {@link BackpressureOverflowError} as a notification, where the sources cannot be held and `overflow` is `error`.
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
  const { concurrency = 1, ordered = true, highWaterMark = 16, overflow = 'error', flow } = options;
  if (!(concurrency >= 1)) throw new RangeError(`concurrency must be a number from 1 up, not ${concurrency}`);
  checkLimit('highWaterMark', highWaterMark);
  return (source) =>
    flowable((subscriber, join) => {
      const upstream = new FlowSet();
      const leaveGiven = flow && upstream.add(flow);
      const queue: T[] = [];
      const slots: Slot<R>[] = [];
      let index = 0;
      let completed = false;
      let release: Release | undefined;
      let working = false;

      const own = new Holds(() => work());
      const full = () => (own.held || slots.length >= concurrency) && queue.length >= highWaterMark;

      const start = (value: T) => {
        const slot: Slot<R> = { results: [], flows: new FlowSet(), hold: undefined, done: false };
        slots.push(slot);
        const inner = new FlowSubscriber<R>(
          subscriber as never,
          {
            next: (result) => {
              slot.results.push(result);
              work();
            },
            complete: () => {
              slot.done = true;
              work();
            },
          },
          slot.flows,
        );
        from(project(value, index++)).subscribe(inner);
      };
      // Emits what may be emitted. What may not waits in its slot, and that slot's sources are held.
      const flush = () => {
        for (let at = 0; at < slots.length && !own.held && !subscriber.closed; ) {
          const slot = slots[at] as Slot<R>;
          while (slot.results.length > 0 && !own.held) subscriber.next(slot.results.shift() as R);
          if (slot.done && slot.results.length === 0) slots.splice(at, 1);
          else if (ordered) break;
          else at++;
        }
        for (const slot of slots) {
          if (slot.results.length > 0) slot.hold ??= slot.flows.hold('mapWithBackpressure');
          else slot.hold = void slot.hold?.();
        }
      };
      const work = () => {
        if (working) return;
        working = true;
        try {
          flush();
          while (queue.length > 0 && slots.length < concurrency && !own.held && !subscriber.closed) {
            start(queue.shift() as T);
            flush();
          }
        } catch (error) {
          subscriber.error(error);
        } finally {
          working = false;
        }
        if (subscriber.closed) return;
        if (completed && queue.length === 0 && slots.length === 0) return subscriber.complete();
        if (full()) release ??= upstream.hold('mapWithBackpressure');
        else if (release && queue.length <= highWaterMark / 2) {
          const released = release;
          release = undefined;
          released();
        }
      };
      const take = (value: T) => {
        const limit = highWaterMark + (upstream.size > 0 ? SLACK : 0);
        if (!full() || queue.length < limit) queue.push(value);
        else if (overflow === 'dropOldest') queue.push(value) && queue.shift();
        else if (overflow === 'error') {
          const message = `${queue.length} values wait and their source cannot be held: make it with flowFrom(), pass { flow }, or choose an overflow policy`;
          return subscriber.error(new BackpressureOverflowError(message, { limit: highWaterMark }));
        }
        work();
      };

      join(own);
      source.subscribe(
        new FlowSubscriber<T>(
          subscriber as never,
          {
            next: take,
            complete: () => {
              completed = true;
              work();
            },
          },
          upstream,
        ),
      );
      return () => {
        queue.length = 0;
        leaveGiven?.();
      };
    });
}
