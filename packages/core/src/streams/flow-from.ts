// flowFrom(): converts other sources to Observables that can be held.

import { bindContext } from '../base/async-context.js';
import { isLocalDecision } from '../base/local-decision.js';
import { clearImmediate, setImmediate } from '../base/real-timers.js';
import { spendTime } from '../base/turn-budget.js';
import { checkFlowInput, type FlowInput, pull } from '../flow/flow-input.js';
import { type Flowable, flowable } from '../flow/flowable.js';
import { Holds } from '../flow/holds.js';

/**
 * Converts an iterable, an async iterable, a Node `Readable` or a Web `ReadableStream` to an Observable with
 * backpressure. RxJS's `from` pulls as fast as it can; `flowFrom` pulls the next value only while nobody holds the
 * result.
 *
 * Each subscription pulls from the source again, so subscribe only once to a source that can be read only once.
 * Unsubscribing stops the source: calls `return()` of an iterator, destroys a `Readable`, cancels a `ReadableStream`.
 *
 * **Half-close**: completes at the end of the source.
 *
 * **Backpressure**: a consumer such as `writeTo` or `mapWithBackpressure` holds it through stock operators. At most one
 * value waits: the value that was being pulled when the hold came. If the source is a socket, or was made of one by
 * this library, an error of this side, such as an abort, does not wait.
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
    // An error of this side does not wait for the holds.
    const pulled = pull(
      source,
      bindContext((error) => fail(error)),
    );
    /** Whether a pull is pending. */
    let pending = false;
    /** Delivers a value that arrived while held. */
    let deliverArrived: (() => void) | undefined;
    let ended = false;
    let working = false;
    let nextTurn: NodeJS.Immediate | undefined;
    /** Whether it has waited for this turn. Then it takes a step, even if others have used up the turn before. */
    let hasWaited = false;

    const end = (notify: () => void) => {
      ended = true;
      notify();
    };
    const fail = (error: unknown) => {
      if (!ended) end(() => subscriber.error(error));
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
        (error) => (isLocalDecision(error) ? fail(error) : onArrived(() => fail(error))),
      );
    };
    const work = () => {
      if (working || nextTurn) return;
      working = true;
      try {
        while (!holds.held && !pending && !ended && !subscriber.closed) {
          if (!spendTime() && !hasWaited) {
            // A source that is never out of values would keep timers and connections waiting.
            nextTurn = setImmediate(() => {
              nextTurn = undefined;
              hasWaited = true;
              work();
            });
            break;
          }
          hasWaited = false;
          const run = deliverArrived ?? pullNext;
          deliverArrived = undefined;
          run();
        }
      } catch (error) {
        fail(error);
      } finally {
        working = false;
      }
    };

    const holds = new Holds(bindContext(work));
    join(holds);
    subscriber.add(() => {
      if (nextTurn) clearImmediate(nextTurn);
      if (!ended) pulled.stop();
    });
    work();
  });
}
