// The plain bytes of a connection, as an Observable that takes unused bytes back.
import type { Subscriber } from 'rxjs';
import type { Endpoints } from '../base/endpoint.js';
import type { CloseReport, SocketEvent } from '../base/events.js';
import { closedBeforeEndError } from '../base/premature-close.js';
import { ByteSource } from '../flow/byte-source.js';
import type { Flow } from '../flow/flow.js';
import { type FlowHandlers, FlowSubscriber } from '../flow/flow-subscriber.js';

/** What the bytes need of a connection. */
interface Readable {
  readonly flow: Flow;
  readonly opening: Endpoints;
  subscribe(subscriber: Subscriber<SocketEvent>): void;
  unread(bytes: Uint8Array, by: Subscriber<unknown> | undefined): void;
}

/** The handlers that turn the events of a socket into its bytes: they complete at the peer's FIN. */
export function byteHandlers(subscriber: Subscriber<Buffer>): FlowHandlers<SocketEvent> {
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

export function bytesOf(connection: Readable): ByteSource {
  // The connection knows the reader that subscribed to it; unread() is called with the subscriber behind that reader.
  const readers = new WeakMap<Subscriber<unknown>, Subscriber<unknown>>();
  return new ByteSource(
    (subscriber) => {
      const reader = new FlowSubscriber<SocketEvent>(subscriber as never, byteHandlers(subscriber));
      readers.set(subscriber, reader);
      connection.subscribe(reader);
    },
    connection.flow,
    (bytes, subscriber) => connection.unread(bytes, readers.get(subscriber)),
    () => connection.opening,
  );
}
