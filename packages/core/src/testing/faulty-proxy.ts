// faultyProxy(): a bad network between a client and a server of this machine. It starts a relay: see proxy-relay.ts.
import { checkObject, checkOneOf, checkOptions, checkPort, checkString, typeError } from '../base/check.js';
import type { PathEndpoint } from '../base/endpoint.js';
import { checkHost } from '../base/host.js';
import { connect } from '../connect.js';
import { listen } from '../listen.js';
import { checkFaults, type NetworkFaults } from './faults.js';
import { connectToPath, listenOnPath } from './path-sockets.js';
import { type ProxyDirection, startRelay } from './proxy-relay.js';
import { temporaryPath } from './temporary-path.js';

interface ProxyOptions extends NetworkFaults {
  /** The server to which the proxy connects, once per client. */
  readonly target: { readonly host?: string | undefined; readonly port: number } | { readonly path: string };
  /** Which direction has the faults. The other direction passes everything unchanged. @defaultValue `'both'` */
  readonly direction?: ProxyDirection | undefined;
}

/**
 * Options of {@link faultyProxy} for a server over TCP or TLS. Each direction of each connection counts its bytes
 * separately.
 */
export interface FaultyProxyOptions extends ProxyOptions {
  /** The server to which the proxy connects, once per client. The default host is `'127.0.0.1'`. */
  readonly target: { readonly host?: string | undefined; readonly port: number };
}

/**
 * Options of {@link faultyProxy} for a server on a UNIX socket. Each direction of each connection counts its bytes
 * separately.
 */
export interface FaultyPathProxyOptions extends ProxyOptions {
  /** The server to which the proxy connects, once per client. */
  readonly target: { readonly path: string };
}

interface Closable extends AsyncDisposable {
  /** Stops listening and resets all connections, on both sides. Resolves when everything is closed. */
  close(): Promise<void>;
}

/** A proxy that listens on a port: see {@link faultyProxy}. */
export interface FaultyProxy extends Closable {
  /** The address to connect to. */
  readonly host: string;
  /** The port to connect to. */
  readonly port: number;
}

/** A proxy that listens on a UNIX socket: see {@link faultyProxy}. */
export interface FaultyPathProxy extends Closable {
  /** The path to connect to, in a folder that only this user can enter. `close()` removes the folder. */
  readonly path: string;
}

/** The proxy sets no time limits of its own: the client and the target decide. */
const noTimeouts = { halfOpenTimeout: 0, finTimeout: 0 };

/**
 * Starts a proxy that behaves like a bad network: it delays the bytes, slows them down, cuts them into pieces, loses
 * them, ends the connection too early, or resets it. The faults have the names that
 * {@link https://github.com/Shopify/toxiproxy#toxics | toxiproxy} gives them. Without faults the proxy changes nothing.
 *
 * For a target with a port, the proxy listens on a free loopback port. For a target with a path, it listens on a path of
 * its own. For each client, the proxy connects to the target first, and passes nothing on before the target has
 * accepted.
 *
 * The faults depend on the options, the `seed`, and the number of the connection: the third connections of two proxies
 * with the same options have the same faults. When a piece arrives depends on the machine as well. The receiver's system
 * may join pieces.
 *
 * TLS passes through the proxy, which does not know it: put the proxy between `connect()` and `listen()` of
 * `@rxsock/tls`, with the `servername` of the server. The faults then count the bytes of TLS, the handshake included. A
 * FIN of the proxy has no close_notify before it, so a TLS socket fails with `ERR_TLS_TRUNCATED`, or with
 * `ERR_TLS_HANDSHAKE` during the handshake. A reset fails it with `ECONNRESET` or `ERR_TLS_TRUNCATED`. `slowClose`
 * delays the FIN, and not the close_notify, which is bytes.
 *
 * **Half-close**: each direction ends on its own, and the proxy passes each FIN on. A reset by one side becomes a reset
 * for the other side. If the target refuses the connection, the client gets a reset. UNIX sockets have no reset: what
 * would be one ends the connection, as an abort does there, and `ECONNRESET` comes only to a side some of whose bytes
 * were not read.
 *
 * **Backpressure**: a receiver that does not read makes the sender wait; a few hundred KiB may be queued between them.
 * Bytes that `limitData`, `timeout` or `resetPeer` drop do not make the sender wait. At a reset, bytes that the receiver
 * had no room for are lost.
 *
 * @returns Resolves when the proxy listens.
 * @throws At the call: TypeError or RangeError for an option with an invalid value; TypeError for more than one of
 * `limitData`, `timeout` and `resetPeer`.
 * @throws As a rejection: {@link SocketError} with Node's code if the proxy cannot listen.
 *
 * @example
 * ```ts
 * import { connect, lines, through } from '@rxsock/core';
 * import { faultyProxy } from '@rxsock/core/testing';
 * import { lastValueFrom, of, toArray } from 'rxjs';
 *
 * await using proxy = await faultyProxy({ target: { port: 7 }, slicer: { averageSize: 1 }, latency: 20, jitter: 10, seed: 42 });
 * const echo = of('one\r\ntwo\r\n').pipe(through(connect({ port: proxy.port })), lines(), toArray());
 * console.log(await lastValueFrom(echo)); // one byte at a time, and still ['one', 'two']
 * ```
 */
export function faultyProxy(options: FaultyProxyOptions): Promise<FaultyProxy>;
export function faultyProxy(options: FaultyPathProxyOptions): Promise<FaultyPathProxy>;
export function faultyProxy(options: ProxyOptions): Promise<FaultyProxy | FaultyPathProxy> {
  checkOptions(options, '{ target: { port: 7 } }');
  const { target, direction = 'both' } = options;
  checkTarget(target);
  checkOneOf('direction', direction, ['toTarget', 'fromTarget', 'both']);
  checkFaults(options);
  return isPath(target) ? proxyToPath(target, direction, options) : proxyToPort(target, direction, options);
}

function isPath(target: ProxyOptions['target']): target is FaultyPathProxyOptions['target'] {
  return 'path' in target && target.path !== undefined;
}

/** The target as JavaScript may pass it. */
interface LooseTarget {
  readonly host?: string | undefined;
  readonly port?: number;
  readonly path?: string;
}

function checkTarget(target: LooseTarget): void {
  checkObject('target', target, 'an object, as in { port: 7 } or { path: "/run/echo.sock" }');
  const { host, port, path } = target;
  if (path === undefined) {
    if (host !== undefined) checkHost('target.host', host);
    checkPort('target.port', port, 1, 'an integer from 1 to 65535, unless there is a path');
    return;
  }
  checkString('target.path', path);
  if (host === undefined && port === undefined) return;
  throw typeError('target', 'either a path, or a port and its host', target);
}

async function proxyToPort(
  { host = '127.0.0.1', port }: FaultyProxyOptions['target'],
  direction: ProxyDirection,
  faults: NetworkFaults,
): Promise<FaultyProxy> {
  const listener = listen({ ...noTimeouts, claimTimeout: 0 });
  const dial = () => connect({ host, port, ...noTimeouts });
  const { address, close } = await startRelay({ listener, dial, direction, faults, noTimeouts });
  return { host: address.address, port: address.port, close, [Symbol.asyncDispose]: close };
}

async function proxyToPath(
  { path: target }: FaultyPathProxyOptions['target'],
  direction: ProxyDirection,
  faults: NetworkFaults,
): Promise<FaultyPathProxy> {
  const { path, remove } = await temporaryPath();
  try {
    const listener = listenOnPath(path, noTimeouts);
    const dial = () => connectToPath(target, noTimeouts);
    const relay = await startRelay<PathEndpoint>({ listener, dial, direction, faults, noTimeouts });
    const close = async () => {
      await relay.close();
      await remove();
    };
    return { path, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await remove();
    throw error;
  }
}
