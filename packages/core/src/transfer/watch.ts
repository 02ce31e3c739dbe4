// watch(): the events of one type of a socket, without reading from it.
import { Observable, type Subscriber } from 'rxjs';
import type { SocketEvent } from '../base/events.js';
import { controlOf, type Socket } from '../socket.js';

/** A subscription keeps the socket open. It fails with the socket. */
export function watch<K extends Exclude<SocketEvent['type'], 'data'>>(
  socket: Socket,
  type: K,
): Observable<Extract<SocketEvent, { readonly type: K }>> {
  return new Observable<SocketEvent>((subscriber) =>
    controlOf(socket).watch(type, subscriber as Subscriber<never>),
  ) as Observable<Extract<SocketEvent, { readonly type: K }>>;
}
