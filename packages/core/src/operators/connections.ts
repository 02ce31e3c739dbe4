// connections(): the sockets that a server accepts.
import { map, type Observable, type OperatorFunction } from 'rxjs';
import type { ServerEvent } from '../server/events.js';
import type { Socket } from '../socket.js';
import { on } from './on.js';

/**
 * The sockets that a server accepts. A socket is open, and paused until you subscribe to it, which you must do within
 * `claimTimeout`. Pass an `error` handler to each subscription, because RxJS throws errors that nobody handles.
 * {@link serve} handles them for you.
 *
 * @throws As a notification: what the server fails with.
 * @example
 * ```ts
 * import { connections, listen } from '@rxsock/core';
 *
 * listen({ port: 7000 }).pipe(connections()).subscribe((socket) => {
 *   socket.next('Welcome\r\n');
 *   socket.complete();
 * });
 * ```
 */
export function connections(): OperatorFunction<ServerEvent, Socket> {
  return (server: Observable<ServerEvent>) =>
    server.pipe(
      on('connection'),
      map(({ socket }) => socket),
    );
}
