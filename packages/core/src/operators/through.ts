// through(): request and response over one socket.
import type { OperatorFunction } from 'rxjs';
import type { Chunk } from '../base/bytes.js';
import { checkBoolean, checkOptions } from '../base/check.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { flowable } from '../flow/flowable.js';
import { controlOf, type Socket } from '../socket.js';
import type { EndOptions } from '../transfer/whole-write.js';
import { writeTo } from './write-to.js';

/**
 * Writes its source to a socket and emits the bytes that the socket receives. If you pass a function, it is called at
 * each subscription and returns a new socket, so that `retry` works.
 *
 * **Half-close**: the write side completes when the source completes, and reading goes on. The result completes at the
 * peer's FIN. A source that is still running then is unsubscribed, which aborts the connection. With `end: false` the
 * write side completes at the peer's FIN instead, unless the socket was created with `allowHalfOpen`. Use this for
 * peers that give up when a FIN comes before their answer, as many HTTP servers do.
 *
 * **Backpressure**: both ways, independently.
 *
 * @param options `end`: whether FIN is sent when the source completes. Default: `true`.
 * @throws At the call: TypeError for something that is neither a socket nor a function, or for an invalid option.
 * @throws As a notification: what the socket fails with, after the bytes that it received before; the errors of
 * {@link writeTo}; what the source fails with.
 *
 * @example
 * ```ts
 * import { connect, lines, through } from '@rxsock/core';
 * import { of } from 'rxjs';
 *
 * of('joe\r\n') // finger: one line, FIN, then the answer
 *   .pipe(through(connect({ host: 'localhost', port: 79 })), lines())
 *   .subscribe(console.log);
 * ```
 */
export function through(target: Socket | (() => Socket), options: EndOptions = {}): OperatorFunction<Chunk, Buffer> {
  if (typeof target !== 'function') controlOf(target);
  checkOptions(options, '{ end: false }');
  const { end = true } = options;
  checkBoolean('end', end);
  return (source) =>
    flowable((subscriber, join) => {
      if (subscriber.closed) return;
      const socket = typeof target === 'function' ? target() : target;
      const control = controlOf(socket);
      // With `end: false` only the peer's FIN completes the write side.
      if (end) socket.allowHalfOpen = true;
      join(socket);
      const incoming = new FlowSubscriber<Buffer>(subscriber as never, {
        next: (bytes) => subscriber.next(bytes as never),
        // A broken write side is an error, but only after everything that the peer has sent.
        complete: () => {
          if (control.writeSide.state === 'broken') subscriber.error(control.writeSide.error);
          else subscriber.complete();
        },
      });
      const outgoing = source.pipe(writeTo(socket, { end })).subscribe({
        error: (error) => {
          if (error !== control.writeSide.error) subscriber.error(error);
        },
      });
      subscriber.add(outgoing);
      control.bytes.subscribe(incoming);
    });
}
