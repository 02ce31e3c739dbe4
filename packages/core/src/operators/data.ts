// data(): the bytes of a socket, up to the peer's FIN.
import type { Observable, OperatorFunction, Subscriber } from 'rxjs';
import { SocketError } from '../base/errors.js';
import type { SocketEvent } from '../base/events.js';
import { FlowSubscriber, operate } from '../flow/flowable.js';
import type { ReconnectEvent } from '../reconnect/reconnect-events.js';
import { acceptsUnused, type TakesBack, takeBack } from './give-back.js';
import { spanning } from './spanning.js';

/**
 * The bytes of a socket. Makes the socket read.
 *
 * Half-close: completes at the peer's FIN, while our own side may go on. A connection that closes without that FIN is an
 * error, never a completion: what the socket fails with, or a {@link SocketError} `ERR_STREAM_PREMATURE_CLOSE`.
 * Backpressure: passed through.
 *
 * Of a link made by `reconnect`: the bytes of all its connections, until the link ends. A framing operator right behind this
 * begins anew with each connection; for more than that there is `eachConnection`.
 *
 * @example
 * ```ts
 * import { connect, data } from '@rxsock/core';
 *
 * connect({ port: 13 }).pipe(data()).subscribe((bytes) => process.stdout.write(bytes));
 * ```
 */
export function data(): OperatorFunction<SocketEvent | ReconnectEvent, Buffer> {
  return (source) => {
    const all = spanning(source);
    if (all) return all;
    // Who got bytes from here, and as whom the socket knows them.
    const readers = new WeakMap<Subscriber<unknown>, Subscriber<unknown>>();
    const bytes = operate<SocketEvent | ReconnectEvent, Buffer>(source, (subscriber) => {
      const closed = () => {
        const message = 'The connection closed before the peer had ended its side';
        subscriber.error(new SocketError(message, { code: 'ERR_STREAM_PREMATURE_CLOSE', phase: 'read' }));
      };
      const reader = new FlowSubscriber<SocketEvent | ReconnectEvent>(subscriber, {
        next: (event) => {
          if (event.type === 'data') subscriber.next(event.data);
          else if (event.type === 'end') subscriber.complete();
        },
        complete: closed,
      });
      readers.set(subscriber, reader);
      return source.subscribe(reader);
    });
    if (takesBack(source)) acceptsUnused(bytes, (unused, by) => source[takeBack](unused, readers.get(by)));
    return bytes;
  };
}

function takesBack(source: Observable<unknown>): source is Observable<unknown> & TakesBack {
  return takeBack in source;
}
