// through(): request and response over one socket.
import type { OperatorFunction } from 'rxjs';
import { FlowSubscriber, flowable } from '../flow/flowable.js';
import type { Chunk } from '../framing/codec.js';
import { connectionOf, type Socket } from '../socket.js';
import { data } from './data.js';
import { type EndOptions, writeTo } from './write-to.js';

/**
 * Writes its source into a socket and emits what the socket receives. With a function instead of a socket it dials anew at
 * each subscription, so that `retry` works.
 *
 * Half-close: the write side completes when the source does, and reading goes on; completes at the peer's FIN, and a
 * source that still runs is then cut, which aborts the connection. With `end: false`, for peers that take an early FIN
 * for a client that has gone (many HTTP servers do), the write side completes at the peer's FIN instead, unless the
 * socket was made with `allowHalfOpen`. Backpressure: both ways, independently.
 *
 * @throws the {@link SocketError} that the socket fails with, as a notification, after what was received before it.
 *
 * @example
 * ```ts
 * import { connect, lines, through } from '@rxsock/core';
 * import { of } from 'rxjs';
 *
 * of('joe\r\n') // finger: one line, FIN, and then the answer
 *   .pipe(through(connect({ host: 'localhost', port: 79 })), lines())
 *   .subscribe(console.log);
 * ```
 */
export function through(target: Socket | (() => Socket), options: EndOptions = {}): OperatorFunction<Chunk, Buffer> {
  return (source) =>
    flowable((subscriber, join) => {
      const socket = typeof target === 'function' ? target() : target;
      const { writeSide } = connectionOf(socket);
      // With `end: false` nobody completes the write side, so the peer's FIN does: the socket would stay half-open.
      if (options.end ?? true) socket.allowHalfOpen = true;
      join(socket);
      // Reading goes on when writing has failed: what the peer has said is delivered first, then the error.
      const complete = () => {
        if (writeSide.state === 'broken') subscriber.error(writeSide.error);
        else subscriber.complete();
      };
      const incoming = new FlowSubscriber<Buffer>(subscriber as never, {
        next: (bytes) => subscriber.next(bytes as never),
        complete,
      });
      const outgoing = source.pipe(writeTo(socket, options)).subscribe({
        error: (error) => {
          if (error !== writeSide.error) subscriber.error(error);
        },
      });
      subscriber.add(outgoing);
      socket.pipe(data()).subscribe(incoming);
    });
}
