// limitRate(): lets bytes through no faster than a given rate, by a token bucket.
import type { OperatorFunction, SchedulerLike, Subscription } from 'rxjs';
import { AsyncContext } from '../base/async-context.js';
import { asBuffer } from '../base/bytes.js';
import { checkDelay, checkFiniteSize, checkOptions, checkScheduler } from '../base/check.js';
import { elapsedTime } from '../base/clock.js';
import { copyBytes } from '../base/copy-bytes.js';
import { isLocalDecision } from '../base/local-decision.js';
import { scheduleAfter } from '../base/long-delay.js';
import { Queue } from '../base/queue.js';
import { schedulerOf, unread } from '../flow/byte-source.js';
import { FlowSet } from '../flow/flow-set.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { flowable } from '../flow/flowable.js';
import { Brake, Holds, pathTo } from '../flow/holds.js';
import { unheldOverflow } from '../flow/unheld-limit.js';

/** How much of the lateness of a timer is made up for, in milliseconds. */
const MAX_LATENESS = 100;

/** Options of {@link limitRate}. */
export interface LimitRateOptions {
  /** How many bytes may pass in `per` milliseconds, on average. */
  readonly bytes: number;
  /** The time for `bytes`, in milliseconds. @defaultValue 1,000 */
  readonly per?: number | undefined;
  /**
   * How many bytes may pass at once after a pause. Longer chunks are cut into pieces of this length. @defaultValue
   * `bytes`
   */
  readonly burst?: number | undefined;
  /**
   * Runs the timer.
   * @defaultValue that of the socket directly behind `data()`; `asyncScheduler` behind any other operator
   */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Lets bytes through no faster than a given rate, in either direction: behind `data()`, or before `writeTo()`.
 *
 * **Half-close**: completes with its source, when everything has passed.
 *
 * **Backpressure**: while bytes wait for their time it holds its source, so that the peer waits and not the memory. A
 * consumer that holds stops it too. If you unsubscribe from `socket.pipe(data(), limitRate(…))`, bytes that wait go back
 * to the socket.
 *
 * @returns An operator that emits the same bytes. Chunks of up to `burst` bytes are not copied.
 * @throws At the call: TypeError for an option of the wrong type; RangeError for `bytes` or `burst` that are not positive
 * integers, or a `per` that is not a time of more than 0 ms.
 * @throws As a notification: {@link BackpressureOverflowError} (`ERR_BACKPRESSURE_OVERFLOW`) if 64 MiB wait and the
 * source cannot be held; what the source fails with, after the bytes before it.
 *
 * @example
 * ```ts
 * import { connect, data, limitRate, saveTo } from '@rxsock/core';
 *
 * // At most 256 KiB a second.
 * connect({ port: 9000 })
 *   .pipe(data(), limitRate({ bytes: 256 * 1024 }), saveTo('backup.tar'))
 *   .subscribe();
 * ```
 */
export function limitRate(options: LimitRateOptions): OperatorFunction<Uint8Array, Uint8Array> {
  checkOptions(options, '{ bytes: 65536 }');
  const { bytes, per = 1000, burst = bytes, scheduler } = options;
  checkFiniteSize('bytes', bytes);
  checkDelay('per', per);
  if (per === 0) throw new RangeError('per must be more than 0 ms');
  checkFiniteSize('burst', burst);
  if (scheduler !== undefined) checkScheduler('scheduler', scheduler);
  return (source) =>
    flowable((subscriber, join) => {
      const clock = scheduler ?? schedulerOf(source);
      const upstream = new FlowSet();
      const chunks = new Queue<Uint8Array>();
      let waiting = 0;
      /** How many bytes of the first chunk have passed. */
      let used = 0;
      /** How many bytes may pass now, as of `countedAt`. */
      let allowance = burst;
      let countedAt = elapsedTime(clock);
      /** Whether bytes wait, or have waited until now. */
      let hasWaited = false;
      let timer: Subscription | undefined;
      let running = false;
      let end: { readonly error?: unknown } | undefined;
      const context = new AsyncContext();
      const holds = new Holds((held) => {
        if (held) brake.on();
        else context.runInAsyncScope(run);
      });
      const brake = new Brake(upstream, () => pathTo(holds, 'limitRate') || 'limitRate');

      /** Returns how long the next `length` bytes must wait, in milliseconds. */
      const delayOf = (length: number): number => {
        const now = elapsedTime(clock);
        // A timer may be late. The time for which bytes have waited counts, so that the rate is right.
        const most = hasWaited ? burst + (MAX_LATENESS * bytes) / per : burst;
        allowance = Math.min(most, allowance + ((now - countedAt) * bytes) / per);
        countedAt = now;
        return Math.max(0, ((length - allowance) * per) / bytes);
      };
      const wait = (delay: number) => {
        hasWaited = true;
        const work = () => {
          timer = undefined;
          context.runInAsyncScope(run);
        };
        timer = scheduleAfter(clock, work, delay);
      };
      /** Emits the next bytes, or waits until they may pass. Returns `false` if none can be emitted now. */
      const emitNext = (): boolean => {
        const chunk = chunks.peek();
        if (!chunk) {
          hasWaited = false;
          return false;
        }
        const end = Math.min(chunk.length, used + burst);
        const delay = delayOf(end - used);
        if (delay > 0) {
          wait(delay);
          return false;
        }
        // A copy: whoever moved a piece to another thread would take the rest of the chunk with it.
        const piece = end - used === chunk.length ? chunk : copyBytes(asBuffer(chunk), used, end);
        allowance -= piece.length;
        waiting -= piece.length;
        used = end;
        if (end === chunk.length) {
          chunks.shift();
          used = 0;
        }
        subscriber.next(piece);
        return true;
      };
      const run = () => {
        if (running) return;
        running = true;
        while (!subscriber.closed && !holds.held && !timer && emitNext());
        running = false;
        if (subscriber.closed) return;
        if (timer || holds.held) return brake.on();
        if (end && 'error' in end) subscriber.error(end.error);
        else if (end) subscriber.complete();
        else brake.off();
      };
      const receive = (chunk: Uint8Array) => {
        if (chunk.length === 0) return;
        const overflow = unheldOverflow(waiting, chunks.length, 'their time (limitRate)');
        if (overflow) return subscriber.error(overflow);
        chunks.push(chunk);
        waiting += chunk.length;
        run();
      };
      const finish = (how: { readonly error?: unknown }) => {
        end = how;
        run();
      };

      join(holds);
      let incoming: FlowSubscriber<Uint8Array> | undefined;
      subscriber.add(() => {
        timer?.unsubscribe();
        if (!incoming) return;
        const unused: Uint8Array[] = [];
        while (chunks.length > 0) unused.push(chunks.shift() as Uint8Array);
        if (unused[0]) unused[0] = unused[0].subarray(used);
        for (const left of unused.reverse()) unread(source, left, incoming);
      });
      // Created after that teardown was added, so that bytes are given back before the source is unsubscribed.
      incoming = new FlowSubscriber<Uint8Array>(
        subscriber as never,
        {
          next: receive,
          error: (error) => (isLocalDecision(error) ? subscriber.error(error) : finish({ error })),
          complete: () => finish({}),
        },
        upstream,
      );
      source.subscribe(incoming);
    });
}
