// connect(): dials UNIX sockets. Core's engine does everything after that.
import net from 'node:net';
import { ConnectError, type ProxyHeaderOptions, Socket, type SocketOptions } from '@rxsock/core';
import {
  Connection,
  checkOptions,
  checkTimeout,
  encodeProxyHeader,
  resolveSocketOptions,
  type Transport,
} from '@rxsock/core/internal';
import { type ParsedAddress, parseAddress, UNNAMED, type UnixAddress } from './address.js';

/** Options of {@link connect}: the address, and the options of every socket. */
export type ConnectOptions = UnixAddress &
  SocketOptions & {
    /** How long connecting may take, in milliseconds; 0 and Infinity wait without limit. @defaultValue 30,000 */
    readonly connectTimeout?: number | undefined;
    /**
     * Begins the connection with a PROXY header, with which a proxy names its client to the server.
     * @defaultValue none
     */
    readonly proxyProtocol?: ProxyHeaderOptions | undefined;
  };

/**
 * Makes a connection to a UNIX socket. It dials at the first subscription, or when you call `write()`, or `complete()`
 * or `close()` after `next()`. All subscribers share it. `remote` has the path, and `local` the empty one.
 *
 * **Half-close**: as for TCP. There is no reset: when one side aborts, the other sees a normal end, or `ECONNRESET` if
 * some of the bytes it had sent were still unread.
 *
 * **Backpressure**: as for TCP.
 *
 * @param options The address, limits in bytes, and timeouts in milliseconds.
 * @returns A socket that has not dialled yet.
 * @throws At the call: {@link TypeError} for an address that is empty or contains a NUL, for both or none of `path` and
 * `abstract`, for an abstract name on another system than Linux, and for an option of the wrong type; {@link
 * RangeError} for an address that is too long, or a number out of range.
 * @throws As a notification: `ConnectError` if there is nothing at the path (`ENOENT`, `ENOTDIR`), nobody listens
 * (`ECONNREFUSED`), it is not a socket (`ECONNREFUSED`, `ENOTSOCK`) or one of another type (`EPROTOTYPE`), this user
 * may not connect (`EACCES`), or the backlog of the server is full (`EAGAIN`); `SocketTimeoutError` (`ETIMEDOUT`) for
 * `connectTimeout`; later, the errors of every socket: see `Socket` of `@rxsock/core`.
 * @see https://man7.org/linux/man-pages/man7/unix.7.html
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
  checkOptions(options, '{ path }');
  const address = parseAddress(options);
  const { connectTimeout = 30_000, proxyProtocol } = options;
  checkTimeout('connectTimeout', connectTimeout);
  const limits = resolveSocketOptions(options);
  const { highWaterMark } = limits;
  const header = proxyProtocol === undefined ? undefined : encodeProxyHeader(proxyProtocol);
  const stream = { allowHalfOpen: true, highWaterMark } as net.SocketConstructorOpts;
  const transport: Transport = {
    type: 'unix',
    target: address.target,
    readyEvent: 'connect',
    open: () => {
      const socket = new net.Socket(stream).connect({ path: address.nodePath });
      return header ? socket.once('connect', () => socket.write(header)) : socket;
    },
    endpoints: () => ({ local: UNNAMED, remote: address.endpoint }),
    explain: (cause, { phase }) => (phase === 'open' ? connectError(cause, address) : undefined),
  };
  return new Socket(new Connection(transport, limits, { connectTimeout }));
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'nothing is there: start its server first',
  ECONNREFUSED: 'nobody listens there: its server has died, or it is not a socket',
  ENOTSOCK: 'it is not a socket',
  EACCES: 'its mode, or the mode of a directory above it, does not allow this user to connect',
  EAGAIN: 'the backlog of its server is full: try again later',
  EPROTOTYPE: 'it is a socket of another type, for example for datagrams',
};

function connectError(cause: NodeJS.ErrnoException, { target, endpoint }: ParsedAddress): ConnectError {
  const { code = 'EIO', message } = cause;
  const text = `Cannot connect to ${target}: ${REASONS[code] ?? message}`;
  return new ConnectError(text, { code, phase: 'open', remote: endpoint, cause, attempts: [] });
}
