// Watching a socket: it stays open for the watcher, and reads nothing.
import { catchError, EMPTY, Observable } from 'rxjs';
import type { SocketEvent } from '../base/events.js';
import { connectionOf, type Socket } from '../socket.js';

type Watched<K extends SocketEvent['type']> = Observable<Extract<SocketEvent, { readonly type: K }>>;

/** The events of one type; fails with the socket. */
export function watchOrFail<K extends Exclude<SocketEvent['type'], 'data'>>(socket: Socket, type: K): Watched<K> {
  return new Observable<SocketEvent>((subscriber) => connectionOf(socket).subscribe(subscriber, type)) as Watched<K>;
}

/** The events of one type; completes quietly where the socket fails, for the failure has its own way out. */
export function watch<K extends Exclude<SocketEvent['type'], 'data'>>(socket: Socket, type: K): Watched<K> {
  return watchOrFail(socket, type).pipe(catchError(() => EMPTY)) as Watched<K>;
}
