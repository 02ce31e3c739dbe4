// mapWithBackpressure(): mergeMap with a bounded queue that holds its sources while it is full.
import { from, type ObservableInput, type OperatorFunction } from 'rxjs';
import { BackpressureOverflowError } from '../base/errors.js';
import { Queue } from '../base/queue.js';
import { checkLimit } from '../engine/limits.js';
import { Brake, type Flow, FlowSet, Holds } from '../flow/flow.js';
import { FlowSubscriber, flowable } from '../flow/flowable.js';

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
   * ({@link BackpressureOverflowError}), or the oldest or the newest is dropped. The same goes for the results of a
   * projection, of which 65,536 more may wait for their turn or for a consumer that holds.
   * @defaultValue `'error'`
   */
  readonly overflow?: 'error' | 'dropOldest' | 'dropNewest';
  /** Something to hold besides the sources that are found, for pipelines behind a Subject. */
  readonly flow?: Flow;
}

/** One chunk of a framer that does not stop inside it may still come after a hold: at most a frame a byte. */
const SLACK = 65_536;

/** One projection that runs, and what of its results must wait. */
interface Slot<R> {
  readonly results: Queue<R>;
  readonly brake: Brake;
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
      const brake = new Brake(upstream, 'mapWithBackpressure');
      const leaveGiven = flow && upstream.add(flow);
      const queue = new Queue<T>();
      const slots: Slot<R>[] = [];
      let index = 0;
      let completed = false;
      let working = false;
      let flushing = false;
      let more = false;

      const own = new Holds(() => work());
      const full = () => (own.held || slots.length >= concurrency) && queue.length >= highWaterMark;

      /** Takes a value into a queue that has an end; answers whether to go on. */
      const enqueue = <V>(into: Queue<V>, value: V, limit: number): boolean => {
        if (into.length < limit) into.push(value);
        else if (overflow === 'dropOldest') {
          into.push(value);
          into.shift();
        } else if (overflow === 'error') {
          const message = `${into.length} values wait and their source cannot be held: make it with flowFrom(), pass { flow }, or choose an overflow policy`;
          subscriber.error(new BackpressureOverflowError(message, { limit: highWaterMark }));
          return false;
        }
        return true;
      };
      const start = (value: T) => {
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
      const emit = () => {
        for (let at = 0; at < slots.length && !own.held && !subscriber.closed; ) {
          const slot = slots[at] as Slot<R>;
          while (slot.results.length > 0 && !own.held) subscriber.next(slot.results.shift() as R);
          if (slot.done && slot.results.length === 0) slots.splice(at, 1);
          else if (ordered) break;
          else at++;
        }
      };
      // Emits what may be emitted and lets go of the sources of slots where nothing waits. Both may bring more.
      const flush = () => {
        more = true;
        if (flushing) return;
        flushing = true;
        while (more) {
          more = false;
          emit();
          for (const slot of [...slots]) if (slot.results.length === 0) slot.brake.off();
        }
        flushing = false;
      };
      const fill = () => {
        working = true;
        try {
          while (queue.length > 0 && slots.length < concurrency && !own.held && !subscriber.closed) {
            start(queue.shift() as T);
            flush();
          }
        } catch (error) {
          subscriber.error(error);
        } finally {
          working = false;
        }
      };
      // Called in the middle of itself it leaves the starting of projections to the outer call, which goes on with it.
      const work = () => {
        const outer = !working && !flushing;
        flush();
        if (outer) fill();
        if (subscriber.closed) return;
        if (completed && queue.length === 0 && slots.length === 0) subscriber.complete();
        else if (full()) brake.on();
        else if (queue.length <= highWaterMark / 2) brake.off();
      };
      const take = (value: T) => {
        const limit = highWaterMark + (upstream.size > 0 ? SLACK : 0);
        if (enqueue(queue, value, full() ? limit : Number.POSITIVE_INFINITY)) work();
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
        queue.clear();
        leaveGiven?.();
      };
    });
}
