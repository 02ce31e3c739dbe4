// data(): the bytes of a socket, up to the peer's FIN.
import type { Observable, Subscriber } from 'rxjs';
import type { CloseReport, SocketEvent } from '../base/events.js';
import { closedBeforeEndError } from '../base/premature-close.js';
import { type FlowHandlers, FlowSubscriber } from '../flow/flow-subscriber.js';
import { operate } from '../flow/flowable.js';
import { controlOf, Socket } from '../socket.js';

/** Refuses the events of a reconnecting socket, in which the bytes of several connections follow each other. */
type OfOneConnection<E extends { readonly type: string }> = 'disconnect' extends E['type']
  ? { readonly 'Bytes of several connections: use eachConnection((bytes) => bytes.pipe(lines()))': never }
  : unknown;

/**
 * The bytes of a socket. Makes the socket read.
 *
 * It does not take a {@link ReconnectingSocket}: a framing operator would glue the bytes of two connections. Use its
 * `eachConnection` instead.
 *
 * **Half-close**: completes at the peer's FIN. Our own side may go on.
 *
 * **Backpressure**: passed through.
 *
 * @throws At the call: TypeError for a {@link ReconnectingSocket}.
 * @throws As a notification: what the socket fails with; {@link SocketError} `ERR_STREAM_PREMATURE_CLOSE` if the
 * connection closes without the peer's FIN and without another error.
 *
 * @example
 * ```ts
 * import { connect, data } from '@rxsock/core';
 *
 * connect({ port: 13 }).pipe(data()).subscribe((bytes) => process.stdout.write(bytes));
 * ```
 */
export function data(): <E extends { readonly type: string } = SocketEvent>(
  source: Observable<E> & OfOneConnection<E>,
) => Observable<Buffer> {
  return bytesOf as never;
}

// Not a function for each call: a server calls data() for each connection.
function bytesOf(source: Observable<unknown>): Observable<Buffer> {
  if (source instanceof Socket) return controlOf(source).bytes;
  if ('eachConnection' in source) {
    const remedy = 'write reconnecting.eachConnection((bytes) => bytes.pipe(lines()))';
    throw new TypeError(`data() would join the bytes of several connections: ${remedy}`);
  }
  const events = source as Observable<SocketEvent>;
  return operate<SocketEvent, Buffer>(events, (subscriber) =>
    events.subscribe(new FlowSubscriber<SocketEvent>(subscriber as never, byteHandlers(subscriber))),
  );
}

/** The handlers that turn the events of a socket into its bytes: they complete at the peer's FIN. */
function byteHandlers(subscriber: Subscriber<Buffer>): FlowHandlers<SocketEvent> {
  let report: CloseReport | undefined;
  return {
    next: (event) => {
      if (event.type === 'data') subscriber.next(event.data);
      else if (event.type === 'end') subscriber.complete();
      else if (event.type === 'close') report = event.report;
    },
    complete: () => subscriber.error(closedBeforeEndError(report)),
  };
}
