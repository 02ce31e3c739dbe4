// connect(): opens UNIX sockets. It only knows how to dial; all the rest is the engine's.
import net from 'node:net';
import { ConnectError, type PathEndpoint, Socket, type SocketOptions } from '@rxsock/core';
import { Connection, checkLimit, resolveSocketOptions, type Transport } from '@rxsock/core/internal';
import { type Place, placeOf, type UnixAddress } from './address.js';

/** Options of {@link connect}: where, and those of every socket. */
export type ConnectOptions = UnixAddress &
  SocketOptions & {
    /** How long connecting may take, in milliseconds; 0 = for ever. @defaultValue 30,000 */
    readonly connectTimeout?: number;
  };

/**
 * A connection to a UNIX socket that is yet to be made: the first subscription dials, and so do `write()`, `complete()` and
 * `close()` where something was written. All subscribers share it. `remote` is the path, `local` the empty one.
 *
 * Half-close and backpressure are those of TCP. There is no reset: when either side aborts, the other sees an end like any
 * other, or `ECONNRESET` where bytes that it had sent were still unread.
 *
 * @throws TypeError or RangeError at the call, for a path that is empty, too long or holds a NUL, and for limits that mean
 * nothing. As notifications: `ConnectError` (`ENOENT`: nothing is there, `ECONNREFUSED`: nobody listens, `EACCES`: not
 * allowed, `EAGAIN`: the backlog is full, `EPROTOTYPE`: a socket of another type) and `SocketTimeoutError` for `connectTimeout`.
 * @see https://man7.org/linux/man-pages/man7/unix.7.html
 *
 * @example
 * ```ts
 * import { lines, through } from '@rxsock/core';
 * import { connect } from '@rxsock/unix';
 * import { of } from 'rxjs';
 *
 * const request = of('GET /version HTTP/1.0\r\n\r\n');
 * request.pipe(through(connect({ path: '/run/docker.sock' }), { end: false }), lines()).subscribe(console.log);
 * ```
 */
export function connect(options: ConnectOptions): Socket {
  const place = placeOf(options);
  const { connectTimeout = 30_000 } = options;
  checkLimit('connectTimeout', connectTimeout);
  const limits = resolveSocketOptions(options);
  const { highWaterMark } = limits;
  const stream = { allowHalfOpen: true, highWaterMark } as net.SocketConstructorOpts;
  const transport: Transport = {
    type: 'unix',
    target: place.target,
    readyEvent: 'connect',
    open: () => new net.Socket(stream).connect({ path: place.name }),
    endpoints: () => ({ local: NAMELESS, remote: place.endpoint }),
    explain: (cause, { phase }) => (phase === 'open' ? connectError(cause, place) : undefined),
  };
  return new Socket(new Connection(transport, limits, { connectTimeout }));
}

/** The end of a client, which has no name. */
export const NAMELESS: PathEndpoint = { path: '' };

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'nothing is there: start its server first',
  ECONNREFUSED: 'nobody listens there: a server that is gone has left it, or it is no socket',
  ENOTSOCK: 'it is no socket',
  EACCES: 'its mode, or that of a directory above it, does not let this user in',
  EAGAIN: 'its server is behind with accepting and the backlog is full: try again later',
  EPROTOTYPE: 'it is a socket of another type: for datagrams, say',
};

function connectError(cause: NodeJS.ErrnoException, { target, endpoint }: Place): ConnectError {
  const { code = 'EIO', message } = cause;
  const why = `Cannot connect to ${target}: ${REASONS[code] ?? message}`;
  return new ConnectError(why, { code, phase: 'open', remote: endpoint, cause, attempts: [] });
}
