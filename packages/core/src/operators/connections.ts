// connections(): the sockets a server accepts.
import { map, type Observable, type OperatorFunction } from 'rxjs';
import type { ServerEvent } from '../base/events.js';
import type { Socket } from '../socket.js';
import { on } from './on.js';

/**
 * The sockets that a server accepts: open, and paused until you subscribe to them (within `claimTimeout`). Each is yours:
 * give each subscription an `error` handler, for RxJS throws what nobody handles; {@link serve} has one.
 *
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
