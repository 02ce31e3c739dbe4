// listen(): TCP servers. This file only opens a net.Server. The class Server does everything else.
import * as net from 'node:net';
import type { Duplex } from 'node:stream';
import { checkBoolean, checkDescriptor, checkSize } from './base/check.js';
import { formatAddress, type InternetEndpoint } from './base/endpoint.js';
import { SocketError } from './base/errors.js';
import { checkHost } from './base/host.js';
import { checkReusePortSupported } from './base/node-support.js';
import { setImmediate } from './base/real-timers.js';
import { checkPortOrService, checkTcpOptions, type TcpOptions } from './connect.js';
import { resolveKeepAlive } from './engine/keep-alive.js';
import { applyTuning } from './engine/tuning.js';
import { servicePort } from './lookup/service-port.js';
import { type ProxyProtocolOptions, resolveProxyProtocol } from './proxy-protocol/trusted.js';
import { AcceptedEndpoints } from './server/accepted-endpoints.js';
import { failServer, listenOnDescriptor } from './server/descriptor.js';
import { ConnectionsPerAddress } from './server/per-address.js';
import { Server, type ServerLimits, type ServerTransport } from './server/server.js';
import { resolveServerOptions } from './server/server-options.js';

/** Options of {@link listen}. The socket options apply to every accepted socket. */
export interface ListenOptions extends TcpOptions {
  /**
   * A port number, or the name of a service in the system's table. 0 chooses a free port: see the `listening` event.
   * @defaultValue 0
   */
  readonly port?: number | string | undefined;
  /**
   * The address to listen on. An IPv6 address may be in brackets, as in a URL. Only this machine can reach the default;
   * `'0.0.0.0'` and `'::'` accept from everywhere.
   * @defaultValue `'127.0.0.1'`
   */
  readonly host?: string | undefined;
  /** Whether a server on an IPv6 address refuses IPv4. @defaultValue `false` */
  readonly ipv6Only?: boolean | undefined;
  /**
   * A descriptor that this process has inherited, to listen on instead of `host` and `port`: see `inheritedListeners`
   * and `handOver` of `@rxsock/core/process`. The server closes it. Not available on Windows.
   * @defaultValue none
   */
  readonly fd?: number | undefined;
  /** How many connections may wait in the kernel to be accepted. Infinity means as many as it can. @defaultValue 511 */
  readonly backlog?: number | undefined;
  /**
   * How many connections may be open at once. The server drops further ones, each with a `drop` event. Infinity means
   * no limit. Each worker of a cluster counts its own connections.
   * @defaultValue 10,000
   */
  readonly maxConnections?: number | undefined;
  /**
   * How many connections one client may have open at once, those in a TLS handshake included. The server drops further
   * ones, each with a `drop` event. Infinity means no limit. Behind a proxy, all clients have the address of the proxy,
   * unless `proxyProtocol` tells theirs: then a connection counts from its header on.
   *
   * Connections from one IPv4 address are those of one client, also if it comes as `::ffff:192.0.2.1`. With IPv6 a
   * client is a network of 64 bits, because one machine can use all of its addresses; only link-local addresses count
   * as a whole. Each process counts its own connections.
   * @defaultValue Infinity
   */
  readonly maxConnectionsPerAddress?: number | undefined;
  /**
   * Whether other sockets that set this, of this or of another process of the same user, may listen on the same address
   * and port. The system spreads the connections over them (SO_REUSEPORT). Needs Node 22.12 and, for example, Linux:
   * macOS and Windows cannot spread.
   * @defaultValue `false`
   */
  readonly reusePort?: boolean | undefined;
  /**
   * How long an accepted socket may wait for its first subscriber before it is aborted, in milliseconds. 0 and Infinity
   * mean no limit.
   * @defaultValue 10,000
   */
  readonly claimTimeout?: number | undefined;
  /**
   * The proxies before the server: load balancers such as HAProxy or nginx that begin each connection with a PROXY
   * header, version 1 or 2, which names their client. The `remote` of a socket is then the proxy's client, and `proxied` tells the rest. The header comes
   * before the TLS handshake. A connection without a header, or from another address, is reset, with a `drop` event.
   * @defaultValue none: PROXY headers are bytes like any others
   * @see https://www.haproxy.org/download/3.1/doc/proxy-protocol.txt
   */
  readonly proxyProtocol?: ProxyProtocolOptions | undefined;
}

/**
 * Creates a TCP server that does not listen yet. The first subscription starts to listen.
 *
 * **Half-close**: accepted sockets have `allowHalfOpen: false` unless you set it. `serve` turns it on.
 *
 * **Backpressure**: an accepted socket is paused until somebody subscribes to it, so nothing is lost.
 *
 * @param options The address, the limits, and the options of accepted sockets. Times are in milliseconds, sizes in
 * bytes.
 * @throws At the call: TypeError or RangeError for an invalid option; TypeError for `fd` together with `host`, `port`,
 * `ipv6Only` or `reusePort`; {@link SocketError} `ERR_OPTION_UNSUPPORTED` for `reusePort`, or an `interval` or a `count`
 * of `keepAlive`, that this version of Node cannot set.
 * @throws As a notification: {@link SocketError} with Node's code (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`; `EINVAL`
 * for an `fd` that is not a listening TCP socket; `ENOTSUP` for `reusePort` on a system without it), or `ERR_UNKNOWN_SERVICE` for an unknown service.
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

/** What another transport changes about a TCP server. For the sibling packages. */
export interface ServerOverTcp
  extends Pick<ServerTransport<InternetEndpoint>, 'type' | 'acceptEvent' | 'admissions' | 'explain'> {
  create(streams: net.ServerOpts): net.Server;
  /** Whether a cluster worker listens itself, and not its primary process. */
  readonly exclusive?: boolean | undefined;
}

/** Returns the transport and the limits of a server over TCP. */
export function serverOver(
  options: ListenOptions,
  { create, exclusive = false, admissions = [], ...over }: ServerOverTcp,
): [ServerTransport<InternetEndpoint>, ServerLimits] {
  const { backlog, maxConnections, limits, ...shared } = resolveServerOptions(options);
  const { proxyProtocol, maxConnectionsPerAddress = Number.POSITIVE_INFINITY } = options;
  const proxies = proxyProtocol === undefined ? undefined : resolveProxyProtocol(proxyProtocol);
  const { port = 0, host = '127.0.0.1', ipv6Only = false, reusePort = false, fd, noDelay = true } = options;
  checkPortOrService(port);
  const address = checkHost('host', host);
  checkBoolean('ipv6Only', ipv6Only);
  checkBoolean('reusePort', reusePort);
  checkSize('maxConnectionsPerAddress', maxConnectionsPerAddress);
  if (reusePort) checkReusePortSupported();
  if (fd !== undefined) checkInherited(fd, options);
  checkTcpOptions(options);
  const keepAlive = resolveKeepAlive(options.keepAlive);
  const target = fd === undefined ? formatAddress(address, port) : `descriptor ${fd}`;
  const open = () => {
    const server = create({
      allowHalfOpen: true,
      pauseOnConnect: true,
      noDelay,
      highWaterMark: limits.socket.highWaterMark,
    } as net.ServerOpts);
    server.maxConnections = maxConnections;
    // Not as an option of the server, which takes no interval and no count. Before TLS takes the stream.
    if (keepAlive.enable) server.prependListener('connection', (stream) => applyTuning(stream, { keepAlive }));
    const where = { host: address, ipv6Only, reusePort, backlog, exclusive };
    const start = (found: number) => server.listen({ ...where, port: found });
    if (fd !== undefined) listenInherited(server, fd, backlog);
    else if (typeof port === 'number') start(port);
    else listenByName(server, port, target, start);
    return server;
  };
  const isLimited = maxConnectionsPerAddress < Number.POSITIVE_INFINITY;
  const perAddress = isLimited ? [new ConnectionsPerAddress(maxConnectionsPerAddress)] : [];
  const all = [...shared.admissions, ...perAddress, ...admissions];
  const accepted = new AcceptedEndpoints();
  const endpoints = (stream: Duplex) => accepted.of(stream);
  const addressOf = (server: net.Server) => {
    const local = boundAddress(server);
    // Nobody knows how an inherited descriptor was set up.
    if (fd === undefined) accepted.listening(local);
    return local;
  };
  return [
    { ...over, admissions: all, endpoints, open, addressOf, target },
    { ...limits, proxies },
  ];
}

function checkInherited(fd: number, { port, host, ipv6Only, reusePort }: ListenOptions): void {
  checkDescriptor('fd', fd);
  if (port !== undefined || host !== undefined || ipv6Only !== undefined || reusePort !== undefined)
    throw new TypeError('fd is bound to an address already: leave out host, port, ipv6Only and reusePort');
}

function listenInherited(server: net.Server, fd: number, backlog: number): void {
  if (!listenOnDescriptor(server, fd, backlog, 'it is not open, or it is not a listening TCP socket')) return;
  // Node also listens on a UNIX socket, but does not know its address.
  if (server.address() !== null) return;
  const cause = Object.assign(new Error('it is a UNIX socket: use listen() of @rxsock/unix'), { code: 'EINVAL' });
  failServer(server, cause);
}

function listenByName(server: net.Server, service: string, target: string, start: (port: number) => void): void {
  let closed = false;
  server.once('close', () => {
    closed = true;
  });
  // A server that is closed before it listens emits 'close' by the next turn.
  const unlessClosed = (run: () => void) => setImmediate(() => closed || run());
  const listenError = (cause: SocketError) =>
    new SocketError(`Cannot listen on ${target}: ${cause.message}`, { code: cause.code, phase: 'open', cause });
  servicePort(service).then(
    (port) => unlessClosed(() => start(port)),
    (error: SocketError) => unlessClosed(() => server.emit('error', listenError(error))),
  );
}

function boundAddress(server: net.Server): InternetEndpoint {
  const { address, port } = server.address() as net.AddressInfo;
  return { address, port, family: net.isIPv6(address) ? 'IPv6' : 'IPv4' };
}
