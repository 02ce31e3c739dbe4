// connect(): TCP sockets. This file checks the options; dial/ opens the stream, and the engine does everything else.
import { lookup as systemLookup } from 'node:dns';
import net, { type LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  checkAddress,
  checkBoolean,
  checkDelay,
  checkFamily,
  checkFunction,
  checkOptions,
  checkPort,
  checkTimeout,
  typeError,
} from './base/check.js';
import { formatAddress } from './base/endpoint.js';
import { checkHost } from './base/host.js';
import { type Family, familyOf } from './dial/addresses.js';
import type { Connector } from './dial/connector.js';
import { prepared } from './dial/prepared.js';
import { type DialOptions, TcpDial } from './dial/tcp-dial.js';
import { checkVia, dialVia } from './dial/via.js';
import { Connection } from './engine/connection.js';
import { type KeepAliveOptions, resolveKeepAlive } from './engine/keep-alive.js';
import { resolveSocketOptions, type SocketLimits, type SocketOptions } from './engine/limits.js';
import type { DialHandlers, Transport } from './engine/transport.js';
import { applyTuning } from './engine/tuning.js';
import { isServiceName } from './lookup/service-port.js';
import { encodeProxyHeader, type ProxyHeaderOptions } from './proxy-protocol/encode.js';
import { controlOf, Socket } from './socket.js';

/** Options of every TCP connection, dialled or accepted. */
export interface TcpOptions extends SocketOptions {
  /** Sends small writes at once instead of delaying them (TCP_NODELAY). @defaultValue `true` */
  readonly noDelay?: boolean | undefined;
  /**
   * How long the connection may be idle before the system probes the peer (SO_KEEPALIVE), in milliseconds, up to
   * 32,767,000, rounded up to whole seconds. 0 means never. If ten probes, one a second, stay without an answer, the
   * connection fails with `ETIMEDOUT`. An object sets these numbers too: see {@link KeepAliveOptions}.
   * @defaultValue 0
   */
  readonly keepAlive?: number | KeepAliveOptions | undefined;
}

/** Options of {@link connect}. */
export interface ConnectOptions extends TcpOptions {
  /**
   * A port number, or the name of a service in the system's table, such as `'smtp'`. The table is read while dialling.
   */
  readonly port: number | string;
  /** A host name or an IP address. An IPv6 address may be in brackets, as in a URL. @defaultValue `'localhost'` */
  readonly host?: string | undefined;
  /** The family of the addresses that are tried: 4, 6, or 0 for both. @defaultValue 0 */
  readonly family?: 0 | 4 | 6 | undefined;
  /** The local address to connect from. Only addresses of its family are tried. @defaultValue the system's choice */
  readonly localAddress?: string | undefined;
  /** The local port to connect from. @defaultValue the system's choice */
  readonly localPort?: number | undefined;
  /**
   * How long connecting may take in total, in milliseconds: the lookup and all attempts together. No attempt has a
   * limit of its own. 0 and Infinity mean no limit.
   * @defaultValue 30,000
   */
  readonly connectTimeout?: number | undefined;
  /**
   * How long to wait for an answer from one address before the next one is tried as well, in milliseconds. If an
   * address refuses, the next one is tried at once.
   * @defaultValue 250
   */
  readonly attemptDelay?: number | undefined;
  /**
   * Resolves host names, as `dns.lookup` does. A name that is not ASCII comes as A-labels.
   * @defaultValue `dns.lookup`
   */
  readonly lookup?: LookupFunction | undefined;
  /**
   * Connects through a proxy: `socks5()` or `httpConnect()` of `@rxsock/core/proxy`. The proxy resolves `host`, and
   * `port` must be a number. The options that choose addresses belong to the proxy: `family`, `localAddress`,
   * `localPort`, `attemptDelay`, `lookup`. `connectTimeout` counts for the whole way. `remote` is the proxy.
   * @defaultValue none
   */
  readonly via?: Connector | undefined;
  /**
   * Begins the connection with a PROXY header, with which a proxy names its client to the server. The header comes before
   * the TLS handshake.
   * @defaultValue none
   * @see https://www.haproxy.org/download/3.1/doc/proxy-protocol.txt
   */
  readonly proxyProtocol?: ProxyHeaderOptions | undefined;
}

/**
 * Creates a TCP socket that is not connected yet. The first subscription dials, and so do `write()`, `complete()`, and
 * `close()` if something was written. All subscribers share the connection. To dial again, call `connect` again:
 * `defer(() => connect(…))`.
 *
 * The addresses of a name are tried one after the other, IPv6 and IPv4 in turn. An address that does not answer within
 * `attemptDelay` is not given up: the next one is tried beside it. The first to connect wins, and the others are reset.
 *
 * **Half-close**: `allowHalfOpen` is `false` by default, as in Node. `through`, `relay` and `serve` turn it on.
 *
 * **Backpressure**: see {@link Socket}.
 *
 * @param options The peer, and the options of every socket. Times are in milliseconds, sizes in bytes.
 * @throws At the call: TypeError or RangeError for an invalid option; {@link SocketError} `ERR_OPTION_UNSUPPORTED` for
 * an `interval` or a `count` of `keepAlive` that this version of Node cannot set.
 * @throws As a notification: {@link ConnectError} with every attempt, and Node's code (`ECONNREFUSED`, `ENOTFOUND`, …)
 * or `ERR_UNKNOWN_SERVICE` for an unknown service; {@link SocketTimeoutError} (`ETIMEDOUT`) for a time limit; {@link
 * ResetError} (`ECONNRESET`, `EPIPE`); {@link AbortedError} (`ERR_SOCKET_ABORTED`); {@link WriteBufferOverflowError}
 * (`ERR_WRITE_BUFFER_OVERFLOW`).
 * @see RFC 9293, RFC 8305, https://nodejs.org/api/net.html#netconnectoptions-connectlistener
 *
 * @example
 * ```ts
 * import { connect, data, lines } from '@rxsock/core';
 *
 * const socket = connect({ host: 'localhost', port: 79 });
 * socket.next('joe\r\n');
 * socket.pipe(data(), lines()).subscribe(console.log);
 * ```
 */
export function connect(options: ConnectOptions): Socket {
  return connectOver(options, { type: 'tcp' });
}

/** What another transport changes about TCP. For the sibling packages. */
export interface OverTcp extends Pick<Transport, 'type' | 'role' | 'secure' | 'explain'> {
  /** In milliseconds; 0 means no limit. */
  readonly handshakeTimeout?: number | undefined;
}

/** Creates a socket of a transport over TCP. */
export function connectOver(options: ConnectOptions, { handshakeTimeout = 0, ...over }: OverTcp): Socket {
  checkConnectOptions(options);
  const limits = resolveSocketOptions(options);
  const { connectTimeout = 30_000 } = options;
  checkTimeout('handshakeTimeout', handshakeTimeout);
  const dialOptions = resolveDialOptions(options, limits);
  const { target, host, port } = dialOptions;
  const { via, noDelay = true } = options;
  const tuning = { noDelay, keepAlive: resolveKeepAlive(options.keepAlive) };
  const way = via
    ? dialVia(via, { target, host, port: port as number, ...tuning })
    : {
        target,
        resolves: familyOf(host) === 0 || typeof port === 'string',
        dial: (handlers: DialHandlers) => new TcpDial(dialOptions, handlers),
      };
  const header = options.proxyProtocol && encodeProxyHeader(options.proxyProtocol);
  const dial = (handlers: DialHandlers) =>
    way.dial(header ? prepared(handlers, (stream) => stream.write(header)) : handlers);
  return new Socket(new Connection({ ...over, ...way, dial }, limits, { connectTimeout, handshakeTimeout }));
}

function resolveDialOptions(options: ConnectOptions, { highWaterMark, scheduler }: SocketLimits): DialOptions {
  const { host = 'localhost', port, localAddress, localPort, noDelay = true } = options;
  const { family = 0, attemptDelay = 250, lookup = systemLookup } = options;
  const keepAlive = resolveKeepAlive(options.keepAlive);
  // noDelay works only here: connect() of a net.Socket ignores it.
  const streamOptions = { allowHalfOpen: true, highWaterMark, noDelay } as net.SocketConstructorOpts;
  return {
    target: formatAddress(host, port),
    host: checkHost('host', host),
    port,
    family: family || familyOf(localAddress),
    local: { ...(localAddress !== undefined && { localAddress }), ...(localPort !== undefined && { localPort }) },
    attemptDelay,
    lookup,
    scheduler,
    createStream: () => {
      const stream = new net.Socket(streamOptions);
      // Node keeps it until the stream is open.
      applyTuning(stream, { keepAlive });
      return stream;
    },
  };
}

/** Creates a socket of a transport over a stream that is open already. Its handshake starts at once. */
export function socketOver(
  stream: Duplex,
  options: SocketOptions,
  over: OverTcp & Pick<Transport, 'endpoints' | 'target'>,
): Socket {
  const { handshakeTimeout = 0, ...rest } = over;
  checkTimeout('handshakeTimeout', handshakeTimeout);
  const transport = { ...rest, readyEvent: undefined, open: () => stream };
  const start = { connectTimeout: 0, handshakeTimeout };
  const connection = new Connection(transport, resolveSocketOptions(options), start);
  // At once, because from now on the stream belongs to the socket.
  connection.dial();
  const socket = new Socket(connection);
  controlOf(socket).announce();
  return socket;
}

/** Checks the options of {@link connect} that are not options of every socket. */
export function checkConnectOptions(options: ConnectOptions): void {
  checkOptions(options, '{ port: 7000 }');
  const { port, host = 'localhost', family = 0, localAddress, localPort, connectTimeout = 30_000 } = options;
  const { attemptDelay = 250, lookup = systemLookup } = options;
  checkPortOrService(port);
  checkHost('host', host);
  checkFamily('family', family);
  if (localAddress !== undefined) checkLocalAddress(localAddress, family);
  if (localPort !== undefined) checkPort('localPort', localPort);
  checkTimeout('connectTimeout', connectTimeout);
  checkDelay('attemptDelay', attemptDelay);
  checkFunction('lookup', lookup, 'a function like dns.lookup');
  checkTcpOptions(options);
  if (options.via !== undefined) checkVia(options.via, options);
  if (options.proxyProtocol !== undefined) encodeProxyHeader(options.proxyProtocol);
}

function checkLocalAddress(localAddress: string, family: Family): void {
  checkAddress('localAddress', localAddress);
  if (family !== 0 && familyOf(localAddress) !== family)
    throw typeError('localAddress', `an IPv${family} address, as family says`, localAddress);
}

/** Checks the options that dialled and accepted connections share. */
export function checkTcpOptions({ noDelay = true, keepAlive }: TcpOptions): void {
  checkBoolean('noDelay', noDelay);
  resolveKeepAlive(keepAlive);
}

/** Throws unless `port` is a port number or could be the name of a service. */
export function checkPortOrService(port: unknown): void {
  if (isServiceName(port)) return;
  const expected = 'an integer from 0 to 65535, or the name of a service';
  if (typeof port === 'string') throw typeError('port', expected, port);
  checkPort('port', port, 0, expected);
}
