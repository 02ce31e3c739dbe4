// opened(): a socket, once it is open.
import { filter, map, merge, type Observable, take } from 'rxjs';
import { controlOf, type Socket } from '../socket.js';
import { watch } from '../transfer/watch.js';

/**
 * Emits the socket itself once it is open, over TLS once the handshake is done, and completes. It dials the socket and
 * reads nothing. If the socket fails, it fails with the same error, so `firstValueFrom(opened(socket))` rejects with
 * the reason.
 *
 * @throws At the call: TypeError for something that is not a socket.
 * @throws As a notification: {@link ConnectError} with Node's code, {@link SocketTimeoutError} (`ETIMEDOUT`) for
 * `connectTimeout` and `handshakeTimeout`, {@link AbortedError} (`ERR_SOCKET_ABORTED`), and the errors of the
 * transport.
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
  // Throws for something that is not a socket.
  controlOf(socket);
  return merge(watch(socket, 'connect'), watch(socket, 'secureConnect')).pipe(
    filter(() => socket.readyState !== 'securing'),
    take(1),
    map(() => socket),
  );
}
