// connect(): TCP sockets. This file only dials; everything else is the engine.
import { lookup as systemLookup } from 'node:dns';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import {
  checkAddress,
  checkBoolean,
  checkDelay,
  checkFamily,
  checkFunction,
  checkOptions,
  checkPort,
  checkString,
  checkTimeout,
  typeError,
} from './base/check.js';
import { LONGEST_TIMER } from './base/deadline.js';
import { formatAddress } from './base/endpoint.js';
import { Connection } from './engine/connection.js';
import { connectError } from './engine/connection-errors.js';
import { resolveSocketOptions, type SocketLimits, type SocketOptions } from './engine/limits.js';
import type { Transport } from './engine/transport.js';
import { isServiceName, servicePort } from './lookup/service-port.js';
import { Socket } from './socket.js';

/** Options of every TCP connection, dialled or accepted. */
export interface TcpOptions extends SocketOptions {
  /** Sends small writes at once instead of delaying them (TCP_NODELAY). @defaultValue `true` */
  readonly noDelay?: boolean | undefined;
  /**
   * How long the connection may be idle before the system probes the peer (SO_KEEPALIVE), in milliseconds, rounded up
   * to whole seconds. 0 means never.
   * @defaultValue 0
   */
  readonly keepAlive?: number | undefined;
}

/** Options of {@link connect}. */
export interface ConnectOptions extends TcpOptions {
  /**
   * A port number, or the name of a service in the system's table, such as `'smtp'`. The table is read while dialling.
   */
  readonly port: number | string;
  /** A host name or an IP address. @defaultValue `'localhost'` */
  readonly host?: string | undefined;
  /** The address family: 4, 6, or 0 for either. @defaultValue 0 */
  readonly family?: 0 | 4 | 6 | undefined;
  /** The local address to connect from. @defaultValue the system's choice */
  readonly localAddress?: string | undefined;
  /** The local port to connect from. @defaultValue the system's choice */
  readonly localPort?: number | undefined;
  /**
   * How long connecting may take in total, in milliseconds. The time is divided among the addresses that are tried. 0
   * and Infinity mean no limit.
   * @defaultValue 30,000
   */
  readonly connectTimeout?: number | undefined;
  /** Resolves host names, as `dns.lookup` does. @defaultValue `dns.lookup` */
  readonly lookup?: net.LookupFunction | undefined;
}

/**
 * Creates a TCP socket that is not connected yet. The first subscription dials, and so do `write()`, `complete()`, and
 * `close()` if something was written. All subscribers share the connection. To dial again, call `connect` again:
 * `defer(() => connect(…))`.
 *
 * **Half-close**: `allowHalfOpen` is `false` by default, as in Node. `through`, `relay` and `serve` turn it on.
 *
 * **Backpressure**: see {@link Socket}.
 *
 * @param options The peer, and the options of every socket. Times are in milliseconds, sizes in bytes.
 * @throws At the call: TypeError or RangeError for an invalid option.
 * @throws As a notification: {@link ConnectError} with every attempt, and Node's code (`ECONNREFUSED`, `ENOTFOUND`, …)
 * or `ERR_UNKNOWN_SERVICE` for an unknown service; {@link SocketTimeoutError} (`ETIMEDOUT`) for a time limit; {@link
 * ResetError} (`ECONNRESET`, `EPIPE`); {@link AbortedError} (`ERR_SOCKET_ABORTED`); {@link WriteBufferOverflowError}
 * (`ERR_WRITE_BUFFER_OVERFLOW`).
 * @see RFC 9293, https://nodejs.org/api/net.html#netconnectoptions-connectlistener
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
export interface OverTcp extends Pick<Transport, 'type' | 'secure' | 'explain'> {
  /** In milliseconds; 0 means no limit. */
  readonly handshakeTimeout?: number | undefined;
}

/** Creates a socket of a transport over TCP. */
export function connectOver(options: ConnectOptions, { handshakeTimeout = 0, ...over }: OverTcp): Socket {
  checkConnectOptions(options);
  const limits = resolveSocketOptions(options);
  const { host = 'localhost', port, connectTimeout = 30_000 } = options;
  checkTimeout('handshakeTimeout', handshakeTimeout);
  const target = formatAddress(host, port);
  const transport = {
    ...over,
    target,
    readyEvent: 'connect',
    resolves: !net.isIP(host) || typeof port === 'string',
    open: () => dial({ ...options, host, connectTimeout }, target, limits),
  } as const;
  return new Socket(new Connection(transport, limits, { connectTimeout, handshakeTimeout }));
}

/** Creates a socket of a transport over a stream that is open already. Its handshake starts at once. */
export function socketOver(
  stream: Duplex,
  options: SocketOptions,
  over: OverTcp & { readonly target: string },
): Socket {
  const { handshakeTimeout = 0, ...rest } = over;
  checkTimeout('handshakeTimeout', handshakeTimeout);
  const transport = { ...rest, readyEvent: undefined, open: () => stream };
  const start = { connectTimeout: 0, handshakeTimeout };
  const connection = new Connection(transport, resolveSocketOptions(options), start);
  // At once, because from now on the stream belongs to the socket.
  connection.dial();
  return new Socket(connection);
}

/** Rounds up to whole seconds: the system counts in seconds, and replaces 0 by its own default of hours. */
export function wholeSeconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000) * 1000;
}

type LookupCallback = Parameters<net.LookupFunction>[2];

/** Checks the options of {@link connect} that are not options of every socket. */
export function checkConnectOptions(options: ConnectOptions): void {
  checkOptions(options, '{ port: 7000 }');
  const { port, host = 'localhost', family = 0, localAddress, localPort, connectTimeout = 30_000 } = options;
  const { lookup = systemLookup } = options;
  checkPortOrService(port);
  checkString('host', host, 'a name or an address');
  checkFamily('family', family);
  if (localAddress !== undefined) checkAddress('localAddress', localAddress);
  if (localPort !== undefined) checkPort('localPort', localPort);
  checkTimeout('connectTimeout', connectTimeout);
  checkFunction('lookup', lookup, 'a function like dns.lookup');
  checkTcpOptions(options);
}

/** Checks the options that dialled and accepted connections share. */
export function checkTcpOptions({ noDelay = true, keepAlive = 0 }: TcpOptions): void {
  checkBoolean('noDelay', noDelay);
  checkDelay('keepAlive', keepAlive);
}

/** Throws unless `port` is a port number or could be the name of a service. */
export function checkPortOrService(port: unknown): void {
  if (isServiceName(port)) return;
  const expected = 'an integer from 0 to 65535, or the name of a service';
  if (typeof port === 'string') throw typeError('port', expected, port);
  checkPort('port', port, 0, expected);
}

// The name is resolved here, and not in net.connect(), so that the time limit can be divided among the addresses. Node
// itself gives each address 250 ms, which is too short for a distant peer.
function dial(
  options: ConnectOptions & { readonly host: string; readonly connectTimeout: number },
  target: string,
  limits: SocketLimits,
): net.Socket {
  const { host, family = 0, connectTimeout, localAddress, localPort, lookup = systemLookup } = options;
  // noDelay and keepAlive work only here: connect() of a net.Socket ignores them.
  const stream = new net.Socket({
    allowHalfOpen: true,
    highWaterMark: limits.highWaterMark,
    noDelay: options.noDelay ?? true,
    keepAlive: !!options.keepAlive,
    keepAliveInitialDelay: wholeSeconds(options.keepAlive ?? 0),
  } as net.SocketConstructorOpts);
  const local = { ...(localAddress && { localAddress }), ...(localPort !== undefined && { localPort }) };
  // An exception here, from an option that Node refuses or from the caller's lookup function, is a failure to connect.
  const attempt = (run: () => void) => {
    try {
      run();
    } catch (error) {
      stream.destroy(error as Error);
    }
  };
  const onResolved = (port: number, ...[error, found]: Parameters<LookupCallback>) => {
    if (stream.destroyed) return;
    if (error) {
      stream.destroy(error);
      return;
    }
    const addresses = typeof found === 'string' ? [{ address: found, family: net.isIPv6(found) ? 6 : 4 }] : found;
    const share = Math.floor((connectTimeout || LONGEST_TIMER) / Math.max(1, addresses.length));
    attempt(() =>
      stream.connect({
        host,
        port,
        family,
        ...local,
        lookup: (_host, { all }, done) =>
          all ? done(null, addresses) : done(null, addresses[0]?.address ?? '', addresses[0]?.family),
        autoSelectFamily: addresses.length > 1,
        autoSelectFamilyAttemptTimeout: Math.min(Math.max(10, share), LONGEST_TIMER),
      }),
    );
  };
  const start = (port: number) => {
    if (stream.destroyed) return;
    if (net.isIP(host)) attempt(() => stream.connect({ host, port, ...local }));
    else attempt(() => lookup(host, { all: true, family }, (...answer) => onResolved(port, ...answer)));
  };
  if (typeof options.port === 'number') start(options.port);
  else {
    const scene = { target, opened: false, local: undefined, remote: undefined };
    servicePort(options.port).then(start, (error) => stream.destroy(connectError(error, [], scene)));
  }
  return stream;
}
