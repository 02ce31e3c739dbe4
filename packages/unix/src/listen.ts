// listen(): servers on UNIX sockets. It only knows what to open; all the rest is Server's.
import type net from 'node:net';
import { dirname } from 'node:path';
import { inspect } from 'node:util';
import { formatEndpoint, type PathEndpoint, Server, type SocketOptions } from '@rxsock/core';
import { checkLimit, resolveSocketOptions, type ServerTransport } from '@rxsock/core/internal';
import { checkLength, type InheritedAddress, longestPath, placeOf, type UnixAddress } from './address.js';
import { NAMELESS } from './connect.js';
import { DescriptorServer } from './descriptor-server.js';
import type { FileServer, FileServerOptions } from './file-server.js';
import { PathServer, TEMPORARY } from './path-server.js';

/** Options of {@link listen} for a server that makes its socket. */
export type NewSocketOptions = UnixAddress & {
  /**
   * Who may connect: the permissions of the file, of which connecting needs that to write. Exactly these, whatever the
   * umask, and at no moment any others. Paths only; Windows pipes have none.
   * @defaultValue `0o600`, the same user alone
   */
  readonly mode?: number;
  /**
   * Take away what a server that is gone has left at the path: a socket, not a link to one, that refuses a connection
   * made to try it. Whatever else is there is `EADDRINUSE`.
   * @defaultValue `false`
   */
  readonly removeStale?: boolean;
  readonly fd?: never;
};

/** Options of {@link listen} for a socket that is there already, as is its file with its mode. */
export interface InheritedSocketOptions extends InheritedAddress {
  readonly mode?: never;
  readonly removeStale?: never;
}

/** Options of {@link listen}: where, and those of sockets, which hold for every accepted one. */
export type ListenOptions = (NewSocketOptions | InheritedSocketOptions) &
  SocketOptions & {
    /** How many connections the kernel lets wait to be accepted. @defaultValue 511 */
    readonly backlog?: number;
    /** The most connections open at once; more are dropped, each with an event. @defaultValue 10,000 */
    readonly maxConnections?: number;
    /**
     * How long an accepted socket may wait for its first subscriber before it is aborted, in milliseconds; 0 = for ever.
     * @defaultValue 10,000
     */
    readonly claimTimeout?: number;
  };

/**
 * A server on a UNIX socket that is yet to listen: the first subscription makes it. Its file appears when it accepts and
 * goes when it stops to, also where the signal aborts it: a new server can take the path while the old one drains. The
 * file of a process that was killed, or has exited without closing, stays: see `removeStale`.
 *
 * With `fd` it listens on a socket that it has inherited. Its file stays, unless `path` tells where it is: then it goes when
 * the server stops to accept, but not while another process still listens on the same socket (which only Linux tells, in
 * `/proc/net/unix`). `address` is the path, or else what the socket was bound to: where that is not known, not on Linux or
 * where another server of this library has handed it over, the empty path.
 *
 * Half-close: accepted sockets have `allowHalfOpen: false` unless told otherwise; `serve` turns it on. Backpressure: an
 * accepted socket is paused until somebody subscribes to it, so nothing is lost. There is no reset: a client whose
 * connection is aborted sees an end like any other, or `ECONNRESET` where bytes that it had sent were still unread.
 *
 * @throws TypeError or RangeError at the call, for a path that is empty, holds a NUL or is too long, its directory
 * (97 bytes on Linux, 93 elsewhere, for a temporary name is beside it) or a limit; for an `fd` that is no number of a
 * descriptor, or together with `mode`, `removeStale` or an abstract name. As a notification: `SocketError` (`EADDRINUSE`:
 * something is there, `ENOENT`: the directory is not, `EACCES`: not allowed; for an `fd`, `EINVAL`: it is no UNIX socket of
 * a server, `ENOENT` and `ENOTSOCK`: nothing is at its `path`, or no socket).
 * @see https://nodejs.org/api/net.html#ipc-support
 *
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
  const { backlog = 511, maxConnections = 10_000, claimTimeout = 10_000 } = options;
  const { create, target } = options.fd === undefined ? newSocket(options) : inheritedSocket(options);
  for (const [name, value] of Object.entries({ backlog, maxConnections, claimTimeout })) checkLimit(name, value);
  const { signal, ...socket } = resolveSocketOptions(options);
  const open = () => {
    const server = create({ backlog, highWaterMark: socket.highWaterMark });
    server.maxConnections = maxConnections;
    return server.start();
  };
  let local = NAMELESS;
  const addressOf = (server: net.Server) => {
    local = (server as FileServer).endpoint;
    return local;
  };
  const transport: ServerTransport<PathEndpoint> = {
    type: 'unix',
    open,
    addressOf,
    acceptEvent: 'connection',
    get target() {
      return formatEndpoint(local) || target;
    },
    endpoints: () => ({ local, remote: NAMELESS }),
    surrender: (server) => (server as FileServer).surrender(),
  };
  return new Server(transport, { socket: { ...socket, signal: undefined }, claimTimeout, signal });
}

/** How to make a server, and what messages call it as long as it does not listen. */
interface Plan {
  readonly create: (options: FileServerOptions) => FileServer;
  readonly target: string;
}

function newSocket(options: NewSocketOptions): Plan {
  const place = placeOf(options);
  const { mode = 0o600, removeStale = false } = options;
  if (place.isFile) {
    checkLength('The directory of a path to listen on', dirname(place.name), longestPath() - TEMPORARY.length);
  } else if (process.platform !== 'win32' && (options.mode !== undefined || removeStale)) {
    throw new TypeError('An abstract name has no file: leave mode and removeStale out');
  }
  if (!(Number.isInteger(mode) && mode >= 0 && mode <= 0o777)) {
    throw new RangeError(`mode must be a whole number from 0 to 0o777, not ${inspect(mode)}`);
  }
  return { create: (streams) => new PathServer(place, { ...streams, mode, removeStale }), target: place.target };
}

function inheritedSocket({ fd, path, ...others }: InheritedSocketOptions): Plan {
  if (!(Number.isInteger(fd) && fd >= 0 && fd <= 2_147_483_647))
    throw new RangeError(`fd must be a descriptor, a whole number from 0 up, not ${inspect(fd)}`);
  const { abstract, mode, removeStale } = others as NewSocketOptions;
  if (abstract !== undefined || mode !== undefined || removeStale !== undefined)
    throw new TypeError('fd has its name and its mode already: leave abstract, mode and removeStale out');
  const file = path === undefined ? undefined : placeOf({ path });
  if (file && !file.isFile) throw new TypeError('An abstract name has no file: leave path out');
  return { create: (streams) => new DescriptorServer(fd, file, streams), target: `descriptor ${fd}` };
}
