// listen(): TCP servers. It only knows how to open a net.Server; all the rest is Server's.
import net from 'node:net';
import { inspect } from 'node:util';
import type { InternetEndpoint } from './base/endpoint.js';
import { SocketError } from './base/errors.js';
import { checkPort, type TcpOptions, wholeSeconds } from './connect.js';
import { checkLimit, resolveSocketOptions } from './engine/limits.js';
import { servicePort } from './lookup/service-port.js';
import { Server, type ServerLimits, type ServerTransport } from './server/server.js';

/** Options of {@link listen}. Those of sockets hold for every accepted one. */
export interface ListenOptions extends TcpOptions {
  /**
   * 0 takes any free port: see the `listening` event. Or the name of a service in the system's table: see
   * {@link servicePort}.
   * @defaultValue 0
   */
  readonly port?: number | string;
  /** The address to listen on. A wider one than loopback is your choice: `'0.0.0.0'`, `'::'`. @defaultValue `'127.0.0.1'` */
  readonly host?: string;
  /** With an IPv6 host: do not take IPv4 as well. @defaultValue `false` */
  readonly ipv6Only?: boolean;
  /**
   * Listen on a descriptor that this process has inherited, instead of on `host` and `port`: see {@link inheritedListeners}
   * and {@link handOver}. From then on it is the server's, which closes it. Not on Windows.
   */
  readonly fd?: number;
  /** How many connections the kernel lets wait to be accepted. @defaultValue 511 */
  readonly backlog?: number;
  /** The most connections open at once; more are dropped, each with an event. @defaultValue 10,000 */
  readonly maxConnections?: number;
  /**
   * How long an accepted socket may wait for its first subscriber before it is aborted, in milliseconds; 0 = for ever.
   * @defaultValue 10,000
   */
  readonly claimTimeout?: number;
}

/**
 * A TCP server that is yet to listen: the first subscription makes it.
 *
 * Half-close: accepted sockets have `allowHalfOpen: false` unless told otherwise; `serve` turns it on. Backpressure: an
 * accepted socket is paused until somebody subscribes to it, so nothing is lost.
 *
 * @throws RangeError at the call for a port or a limit that means nothing, TypeError for an `fd` together with `host` or
 * `port`. As a notification: {@link SocketError} with Node's code (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`; `EINVAL` for an
 * `fd` that is no TCP socket to listen on), or `ERR_UNKNOWN_SERVICE` for a `port` by name.
 * @see https://nodejs.org/api/net.html#serverlistenoptions-callback
 *
 * @example
 * ```ts
 * import { data, listen, serve } from '@rxsock/core';
 *
 * listen({ port: 7 }).pipe(serve((socket) => socket.pipe(data()))).subscribe(); // echo
 * ```
 */
export function listen(options: ListenOptions = {}): Server<InternetEndpoint> {
  return new Server(
    ...serverOver(options, { type: 'tcp', acceptEvent: 'connection', create: (streams) => net.createServer(streams) }),
  );
}

/** What lies over TCP, for the packages that put something there. */
export interface ServerOverTcp
  extends Pick<ServerTransport<InternetEndpoint>, 'type' | 'acceptEvent' | 'endpoints' | 'explain'> {
  create(streams: net.ServerOpts): net.Server;
  /** For this process alone, also in a worker of a cluster. */
  readonly exclusive?: boolean;
}

/** What a server is made of, of which `over` makes another than one of TCP. */
export function serverOver(
  options: ListenOptions,
  { create, exclusive = false, ...over }: ServerOverTcp,
): [ServerTransport<InternetEndpoint>, ServerLimits] {
  const { signal, ...socket } = resolveSocketOptions(options);
  const { port = 0, host = '127.0.0.1', ipv6Only = false, backlog = 511, fd } = options;
  const { maxConnections = 10_000, claimTimeout = 10_000, noDelay = true, keepAlive = 0 } = options;
  checkPort(port);
  if (fd !== undefined) checkDescriptor(fd, options);
  for (const [name, value] of Object.entries({ backlog, maxConnections, claimTimeout, keepAlive }))
    checkLimit(name, value);
  const target = fd === undefined ? `${host}:${port}` : `descriptor ${fd}`;
  const open = () => {
    const server = create({
      allowHalfOpen: true,
      pauseOnConnect: true,
      noDelay,
      keepAlive: keepAlive > 0,
      keepAliveInitialDelay: wholeSeconds(keepAlive),
      highWaterMark: socket.highWaterMark,
    } as net.ServerOpts);
    server.maxConnections = maxConnections;
    const start = (found: number) => server.listen({ port: found, host, ipv6Only, backlog, exclusive });
    if (fd !== undefined) listenOnDescriptor(server, fd, backlog);
    else if (typeof port === 'number') start(port);
    else listenByName(server, port, target, start);
    return server;
  };
  return [
    { ...over, open, addressOf, target },
    { socket: { ...socket, signal: undefined }, claimTimeout, signal },
  ];
}

function checkDescriptor(fd: number, { port, host, ipv6Only }: ListenOptions): void {
  if (!(Number.isInteger(fd) && fd >= 0 && fd <= 2_147_483_647))
    throw new RangeError(`fd must be a descriptor, a whole number from 0 up, not ${inspect(fd)}`);
  if (port !== undefined || host !== undefined || ipv6Only !== undefined)
    throw new TypeError('fd listens already where it was bound to: leave host, port and ipv6Only out');
}

function listenOnDescriptor(server: net.Server, fd: number, backlog: number): void {
  // Node calls it an invalid argument, whatever is the matter.
  const explain = (error: NodeJS.ErrnoException) => {
    if (error.code === 'EINVAL') error.message = 'it is not open, or no socket of TCP that can listen';
  };
  server.once('error', explain);
  server.listen({ fd, backlog });
  // Else the error is on its way; or it is the primary process of a cluster that listens.
  if (server.listening) server.off('error', explain);
  // Node takes a UNIX socket too, and knows no address of it.
  if (!server.listening || server.address() !== null) return;
  const cause = Object.assign(
    new Error('it is a socket, but none of TCP: the listen() of @rxsock/unix takes those of UNIX'),
    { code: 'EINVAL' },
  );
  // First this, then 'close'.
  process.nextTick(() => server.emit('error', cause));
  server.close();
}

function listenByName(server: net.Server, service: string, target: string, start: (port: number) => void): void {
  let closed = false;
  server.once('close', () => {
    closed = true;
  });
  // A server that is closed before it listens tells so by the next turn.
  const unlessClosed = (act: () => void) => setImmediate(() => closed || act());
  const unknown = (cause: SocketError) =>
    new SocketError(`Cannot listen on ${target}: ${cause.message}`, { code: cause.code, phase: 'open', cause });
  servicePort(service).then(
    (port) => unlessClosed(() => start(port)),
    (error: SocketError) => unlessClosed(() => server.emit('error', unknown(error))),
  );
}

function addressOf(server: net.Server): InternetEndpoint {
  const { address, port } = server.address() as net.AddressInfo;
  return { address, port, family: net.isIPv6(address) ? 'IPv6' : 'IPv4' };
}
