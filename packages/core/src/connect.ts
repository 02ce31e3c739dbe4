// connect(): opens TCP sockets. It only knows how to dial; all the rest is the engine's.
import { lookup as systemLookup } from 'node:dns';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import { LONGEST_TIMER } from './base/deadline.js';
import { Connection } from './engine/connection.js';
import { connectError } from './engine/connection-errors.js';
import { checkLimit, resolveSocketOptions, type SocketLimits, type SocketOptions } from './engine/limits.js';
import type { Transport } from './engine/transport.js';
import { isServiceName, servicePort } from './lookup/service-port.js';
import { Socket } from './socket.js';

/** Options of every TCP connection, dialled or accepted. */
export interface TcpOptions extends SocketOptions {
  /** Send small writes at once instead of gathering them (TCP_NODELAY). @defaultValue `true` */
  readonly noDelay?: boolean;
  /**
   * Probe an idle peer after this many milliseconds (SO_KEEPALIVE), rounded up to whole seconds; 0 = never.
   * @defaultValue 0
   */
  readonly keepAlive?: number;
}

/** Options of {@link connect}. */
export interface ConnectOptions extends TcpOptions {
  /** A number, or the name of a service in the system's table, which is read while dialling: see {@link servicePort}. */
  readonly port: number | string;
  /** A name or an address. @defaultValue `'localhost'` */
  readonly host?: string;
  /** The family of addresses to use; 0 = either, whichever answers first. @defaultValue 0 */
  readonly family?: 0 | 4 | 6;
  /** The local address to connect from. */
  readonly localAddress?: string;
  /** The local port to connect from. */
  readonly localPort?: number;
  /**
   * How long connecting may take in all, in milliseconds, shared out over the addresses that are tried; 0 = as long as
   * the system tries.
   * @defaultValue 30,000
   */
  readonly connectTimeout?: number;
  /** Resolves names, as `dns.lookup` does. @defaultValue `dns.lookup` */
  readonly lookup?: net.LookupFunction;
}

/**
 * A TCP connection that is yet to be made: the first subscription dials, and so do `write()`, `complete()` and `close()`
 * where something was written. All subscribers share it. To dial anew, call `connect` again: `defer(() => connect(…))`.
 *
 * Half-close: `allowHalfOpen` is `false` by default, as in Node; `through`, `relay` and `serve` turn it on.
 *
 * @throws TypeError or RangeError at the call, for options that mean nothing. As notifications: {@link ConnectError} with
 * every attempt (`code` is Node's: `ECONNREFUSED`, `ENOTFOUND`, …; `ERR_UNKNOWN_SERVICE` for a `port` by name),
 * {@link SocketTimeoutError} for `connectTimeout`.
 * @see https://nodejs.org/api/net.html#netconnectoptions-connectlistener
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

/** What lies over TCP, for the packages that put something there. */
export interface OverTcp extends Pick<Transport, 'type' | 'secure' | 'explain'> {
  /** In milliseconds; 0 = no limit. */
  readonly handshakeTimeout?: number;
}

/** A socket of which `over` makes another than one of TCP. */
export function connectOver(options: ConnectOptions, { handshakeTimeout = 0, ...over }: OverTcp): Socket {
  const limits = resolveSocketOptions(options);
  const { host = 'localhost', port, connectTimeout = 30_000 } = options;
  checkPort(port);
  if (host.includes('\0')) throw new TypeError(`host must not hold a NUL: ${inspect(host)}`);
  for (const [name, value] of Object.entries({ connectTimeout, handshakeTimeout })) checkLimit(name, value);
  const target = net.isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
  const transport = {
    ...over,
    target,
    readyEvent: 'connect',
    resolves: !net.isIP(host) || typeof port === 'string',
    open: () => dial({ ...options, host, connectTimeout }, target, limits),
  } as const;
  return new Socket(new Connection(transport, limits, { connectTimeout, handshakeTimeout }));
}

/** A socket over an open stream of somebody else's, that is secured first. */
export function socketOver(
  stream: Duplex,
  options: SocketOptions,
  over: OverTcp & { readonly target: string },
): Socket {
  const { handshakeTimeout = 0, ...rest } = over;
  checkLimit('handshakeTimeout', handshakeTimeout);
  const transport = { ...rest, readyEvent: undefined, open: () => stream };
  const birth = { connectTimeout: 0, handshakeTimeout };
  const connection = new Connection(transport, resolveSocketOptions(options), birth);
  // At once: from now on the stream is ours.
  connection.dial();
  return new Socket(connection);
}

/** The system counts idleness in seconds, and takes what is less for its own default of hours. */
export function wholeSeconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000) * 1000;
}

type LookupCallback = Parameters<net.LookupFunction>[2];

/** Throws a `RangeError` unless `port` is one, or can be the name of a service. */
export function checkPort(port: number | string): void {
  if (isServiceName(port) || (Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535)) return;
  const expected = 'port must be a whole number from 0 to 65535, or the name of a service';
  throw new RangeError(`${expected}, not ${inspect(port)}`);
}

// The name is resolved here, not in net.connect, so that the time can be shared out over the addresses: by itself Node
// gives up on each after 250 ms, which cuts off every peer that is farther away.
function dial(
  options: ConnectOptions & { readonly host: string; readonly connectTimeout: number },
  target: string,
  limits: SocketLimits,
): net.Socket {
  const { host, family = 0, connectTimeout, localAddress, localPort, lookup = systemLookup } = options;
  // The last three are heard of here alone: connect() of a net.Socket takes no notice of them.
  const stream = new net.Socket({
    allowHalfOpen: true,
    highWaterMark: limits.highWaterMark,
    noDelay: options.noDelay ?? true,
    keepAlive: !!options.keepAlive,
    keepAliveInitialDelay: wholeSeconds(options.keepAlive ?? 0),
  } as net.SocketConstructorOpts);
  const local = { ...(localAddress && { localAddress }), ...(localPort !== undefined && { localPort }) };
  // What throws here, an option that Node refuses or the caller's own lookup, is a failure to connect like any other.
  const attempt = (act: () => void) => {
    try {
      act();
    } catch (error) {
      stream.destroy(error as Error);
    }
  };
  const resolved = (port: number, ...[error, found]: Parameters<LookupCallback>) => {
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
    else attempt(() => lookup(host, { all: true, family }, (...answer) => resolved(port, ...answer)));
  };
  if (typeof options.port === 'number') start(options.port);
  else {
    const scene = { target, opened: false, local: undefined, remote: undefined };
    servicePort(options.port).then(start, (error) => stream.destroy(connectError(error, [], scene)));
  }
  return stream;
}
