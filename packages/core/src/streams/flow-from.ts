// flowFrom(): other sources made holdable.
import { Holds } from '../flow/flow.js';
import { checkFlowInput, type FlowInput, pull } from '../flow/flow-input.js';
import { type Flowable, flowable } from '../flow/flowable.js';

/**
 * Makes an Observable with backpressure of an iterable, an async iterable, a Node `Readable` or a Web `ReadableStream`:
 * where RxJS's `from` takes all there is, this takes the next value only while nobody holds it.
 *
 * Half-close: completes at the end of the source. Backpressure: a consumer such as `writeTo` or `mapWithBackpressure`
 * holds it through stock operators; at most the one value that was already asked for waits. Each subscription pulls the
 * source anew, so that one which can be read only once can be subscribed to only once. Unsubscribing lets go of the
 * source at once: an iterator is returned, a `Readable` destroyed, a `ReadableStream` cancelled.
 *
 * @throws TypeError at the call if `source` is none of these. What the source fails with, as a notification.
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
    /** What was asked for: it is still to come, or it came while held. */
    let pending = false;
    let arrived: (() => void) | undefined;
    let over = false;
    let working = false;

    const finish = (tell: () => void) => {
      over = true;
      tell();
    };
    const give = (result: IteratorResult<T>) => {
      if (result.done) finish(() => subscriber.complete());
      else subscriber.next(result.value);
    };
    const arrive = (act: () => void) => {
      pending = false;
      arrived = act;
      work();
    };
    const ask = () => {
      const result = pulled.next();
      if (!('then' in result)) return give(result);
      pending = true;
      result.then(
        (value) => arrive(() => give(value)),
        (error) => arrive(() => finish(() => subscriber.error(error))),
      );
    };
    const work = () => {
      if (working) return;
      working = true;
      try {
        while (!own.held && !pending && !over && !subscriber.closed) {
          const act = arrived ?? ask;
          arrived = undefined;
          act();
        }
      } catch (error) {
        finish(() => subscriber.error(error));
      } finally {
        working = false;
      }
    };

    const own = new Holds(work);
    const pulled = pull(source);
    join(own);
    subscriber.add(() => over || pulled.stop());
    work();
  });
}
