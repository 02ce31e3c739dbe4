// flowFrom(): other sources, made holdable.
import { checkFlowInput, type FlowInput, pull } from '../flow/flow-input.js';
import { type Flowable, flowable } from '../flow/flowable.js';
import { Holds } from '../flow/holds.js';

/**
 * Converts an iterable, an async iterable, a Node `Readable` or a Web `ReadableStream` to an Observable with
 * backpressure. RxJS's `from` takes all values at once; this pulls the next value only while nobody holds it.
 *
 * Each subscription pulls from the source again, so subscribe only once to a source that can be read only once.
 * Unsubscribing releases the source at once: an iterator is returned, a `Readable` destroyed, a `ReadableStream`
 * cancelled.
 *
 * **Half-close**: completes at the end of the source.
 *
 * **Backpressure**: a consumer such as `writeTo` or `mapWithBackpressure` holds it through stock operators. At most one
 * value waits: the one that was pulled before the hold.
 *
 * @throws At the call: TypeError if values cannot be pulled from `source`.
 * @throws As a notification: what the source fails with.
 *
 * @example
 * ```ts
 * import { createReadStream } from 'node:fs';
 * import { connect, flowFrom, writeTo } from '@rxsock/core';
 *
 * flowFrom(createReadStream('big.log')).pipe(writeTo(connect({ port: 9000 }))).subscribe(console.log);
 * ```
 */
export function flowFrom<T>(source: FlowInput<T>): Flowable<T> {
  checkFlowInput(source);
  return flowable<T>((subscriber, join) => {
    const pulled = pull(source);
    /** Whether a pull is pending. */
    let pending = false;
    /** Delivers a value that arrived while held. */
    let deliverArrived: (() => void) | undefined;
    let ended = false;
    let working = false;

    const end = (notify: () => void) => {
      ended = true;
      notify();
    };
    const deliver = (result: IteratorResult<T>) => {
      if (result.done) end(() => subscriber.complete());
      else subscriber.next(result.value);
    };
    const onArrived = (run: () => void) => {
      pending = false;
      deliverArrived = run;
      work();
    };
    const pullNext = () => {
      const result = pulled.next();
      if (!('then' in result)) return deliver(result);
      pending = true;
      result.then(
        (value) => onArrived(() => deliver(value)),
        (error) => onArrived(() => end(() => subscriber.error(error))),
      );
    };
    const work = () => {
      if (working) return;
      working = true;
      try {
        while (!holds.held && !pending && !ended && !subscriber.closed) {
          const run = deliverArrived ?? pullNext;
          deliverArrived = undefined;
          run();
        }
      } catch (error) {
        end(() => subscriber.error(error));
      } finally {
        working = false;
      }
    };

    const holds = new Holds(work);
    join(holds);
    subscriber.add(() => ended || pulled.stop());
    work();
  });
}
