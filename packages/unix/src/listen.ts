// listen(): servers on UNIX sockets. Core's Server does everything after opening.
import type * as net from 'node:net';
import { formatEndpoint, type PathEndpoint, Server } from '@rxsock/core';
import {
  checkOptions,
  resolveLocalProxyProtocol,
  resolveServerOptions,
  type ServerTransport,
} from '@rxsock/core/internal';
import { UNNAMED } from './address.js';
import { serverFactory } from './create-server.js';
import type { ListenOptions } from './listen-options.js';
import type { UnixServer } from './unix-server.js';

/**
 * Makes a server on a UNIX socket. It begins to listen at the first subscription.
 *
 * The file of the socket appears when the server begins to accept, and disappears when it stops, also when `signal`
 * aborts it. So a new server can use the path while the old one drains. If the process is killed or exits without
 * closing the server, the file stays: see `removeStale`.
 *
 * With `fd`, the server listens on a socket that this process has inherited. Its file stays, unless you pass its
 * `path`: then this server removes it when it stops accepting, but not while another process listens on the same
 * socket. (Only Linux shows that, in `/proc/net/unix`.) `address` is the `path`; without it, the name that the socket
 * was bound to. This name is the empty path on other systems than Linux, and if a server of this library has made the
 * socket.
 *
 * **Half-close**: accepted sockets have `allowHalfOpen: false` unless you set it; `serve` turns it on. There is no
 * reset: the client of an aborted connection sees a normal end, or `ECONNRESET` if some of the bytes it had sent were
 * still unread.
 *
 * **Backpressure**: an accepted socket is not read until something subscribes to it, so nothing is lost.
 *
 * @param options Where to listen, limits in bytes, and timeouts in milliseconds.
 * @returns A server that does not listen yet.
 * @throws At the call: {@link TypeError} for an address that is empty or contains a NUL, for both or none of `path` and
 * `abstract`, for an abstract name on another system than Linux, for `mode` or `removeStale` with an abstract name, for
 * `abstract`, `mode` or `removeStale` with `fd`, and for an option of the wrong type; {@link RangeError} for an address
 * that is too long, for a path in a directory of more than 97 bytes (Linux) or 93 bytes (elsewhere), because the server
 * makes a temporary name there, and for a number out of range.
 * @throws As a notification: `SocketError` if something is at the path (`EADDRINUSE`), its directory does not exist
 * (`ENOENT`, `ENOTDIR`), this user may not create files there (`EACCES`) or remove the stale file (`EPERM`); for an
 * `fd` that is not a UNIX socket that can listen, or is not open (`EINVAL`); if nothing is at the `path` of the `fd`
 * (`ENOENT`), or it is not a socket (`ENOTSOCK`).
 * @see https://nodejs.org/api/net.html#ipc-support
 * @example
 * ```ts
 * import { data, serve } from '@rxsock/core';
 * import { listen } from '@rxsock/unix';
 *
 * const server = listen({ path: '/run/echo.sock', mode: 0o660, removeStale: true }); // for the group, too
 * server.pipe(serve((socket) => socket.pipe(data()))).subscribe();
 * ```
 */
export function listen(options: ListenOptions): Server<PathEndpoint> {
  checkOptions(options, '{ path }');
  const { create, target } = serverFactory(options);
  const { backlog, maxConnections, admissions, limits } = resolveServerOptions(options);
  const { proxyProtocol } = options;
  const proxies = proxyProtocol === undefined ? undefined : resolveLocalProxyProtocol(proxyProtocol);
  const open = () => {
    const server = create({ backlog, highWaterMark: limits.socket.highWaterMark });
    server.maxConnections = maxConnections;
    return server.start();
  };
  /** Where the server listens: known when it does. */
  let local = UNNAMED;
  const addressOf = (server: net.Server) => {
    local = (server as UnixServer).endpoint;
    return local;
  };
  const transport: ServerTransport<PathEndpoint> = {
    type: 'unix',
    open,
    addressOf,
    acceptEvent: 'connection',
    admissions,
    get target() {
      return formatEndpoint(local) || target;
    },
    endpoints: () => ({ local, remote: UNNAMED }),
    surrender: (server) => (server as UnixServer).surrender(),
  };
  return new Server(transport, { ...limits, proxies });
}
