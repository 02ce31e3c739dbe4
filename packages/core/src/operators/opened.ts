// opened(): a socket, once it is open.
import { filter, map, merge, type Observable, take } from 'rxjs';
import type { Socket } from '../socket.js';
import { watchOrFail } from './watch.js';

/**
 * The socket itself, once it is open; over TLS, once the handshake is over. Dials it, watches, and reads nothing. Fails with
 * what the socket fails with, so that `firstValueFrom` tells why there is no connection; `on('connect')` would only complete.
 *
 * @throws as notifications, {@link ConnectError}, {@link SocketTimeoutError}, and those of the transport.
 *
 * @example
 * ```ts
 * import { connect, opened } from '@rxsock/core';
 * import { firstValueFrom } from 'rxjs';
 *
 * const socket = await firstValueFrom(opened(connect({ port: 25 })));
 * console.log(socket.remote);
 * ```
 */
export function opened(socket: Socket): Observable<Socket> {
  return merge(watchOrFail(socket, 'connect'), watchOrFail(socket, 'secureConnect')).pipe(
    filter(() => socket.readyState !== 'securing'),
    take(1),
    map(() => socket),
  );
}
