// listen(): servers on UNIX sockets. It only knows what to open; all the rest is Server's.
import { dirname } from 'node:path';
import { inspect } from 'node:util';
import { type PathEndpoint, Server, type SocketOptions } from '@rxsock/core';
import { checkLimit, resolveSocketOptions } from '@rxsock/core/internal';
import { checkLength, longestPath, placeOf, type UnixAddress } from './address.js';
import { NAMELESS } from './connect.js';
import { PathServer, TEMPORARY } from './path-server.js';

/** Options of {@link listen}: where, and those of sockets, which hold for every accepted one. */
export type ListenOptions = UnixAddress &
  SocketOptions & {
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
 * Half-close: accepted sockets have `allowHalfOpen: false` unless told otherwise; `serve` turns it on. Backpressure: an
 * accepted socket is paused until somebody subscribes to it, so nothing is lost. There is no reset: a client whose
 * connection is aborted sees an end like any other, or `ECONNRESET` where bytes that it had sent were still unread.
 *
 * @throws TypeError or RangeError at the call, for a path that is empty, holds a NUL or is too long, its directory
 * (97 bytes on Linux, 93 elsewhere, for a temporary name is beside it) or a limit. As a notification: `SocketError`
 * (`EADDRINUSE`: something is there, `ENOENT`: the directory is not, `EACCES`: not allowed).
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
  const place = placeOf(options);
  const { mode = 0o600, removeStale = false, backlog = 511, maxConnections = 10_000, claimTimeout = 10_000 } = options;
  if (place.isFile) {
    checkLength('The directory of a path to listen on', dirname(place.name), longestPath() - TEMPORARY.length);
  } else if (process.platform !== 'win32' && (options.mode !== undefined || removeStale)) {
    throw new TypeError('An abstract name has no file: leave mode and removeStale out');
  }
  if (!(Number.isInteger(mode) && mode >= 0 && mode <= 0o777)) {
    throw new RangeError(`mode must be a whole number from 0 to 0o777, not ${inspect(mode)}`);
  }
  for (const [name, value] of Object.entries({ backlog, maxConnections, claimTimeout })) checkLimit(name, value);
  const { signal, ...socket } = resolveSocketOptions(options);
  const open = () => {
    const server = new PathServer(place, { mode, removeStale, backlog, highWaterMark: socket.highWaterMark });
    server.maxConnections = maxConnections;
    return server.start();
  };
  const transport = {
    type: 'unix',
    open,
    addressOf: () => place.endpoint,
    accepts: 'connection',
    target: place.target,
    ends: () => ({ local: place.endpoint, remote: NAMELESS }),
  } as const;
  return new Server(transport, { socket: { ...socket, signal: undefined }, claimTimeout, signal });
}
