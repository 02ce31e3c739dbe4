// faultyProxy(): a bad network between a client and a server, on loopback. The proxy relays each connection through a
// pair of sockets in memory, and the channels between these two have the faults.

import {
  asyncScheduler,
  catchError,
  concat,
  EMPTY,
  firstValueFrom,
  ignoreElements,
  merge,
  mergeMap,
  type Observable,
  take,
} from 'rxjs';
import { checkDelay, checkObject, checkOneOf, checkOptions, checkPort } from '../base/check.js';
import { checkHost } from '../base/host.js';
import { connect } from '../connect.js';
import { listen } from '../listen.js';
import { connections } from '../operators/connections.js';
import { on } from '../operators/on.js';
import { relay } from '../operators/relay.js';
import { controlOf, type Socket } from '../socket.js';
import { fromDuplex } from '../streams/from-duplex.js';
import { checkFaults, checkRate, type Faults } from './faults.js';
import { duplexPair } from './memory-duplex.js';

/** Options of {@link faultyProxy}. Each direction of each connection counts its bytes separately. */
export interface FaultyProxyOptions {
  /** The server to which the proxy connects, once per client. The default host is `'127.0.0.1'`. */
  readonly target: { readonly host?: string | undefined; readonly port: number };
  /** Which direction has the faults. The other direction passes everything unchanged. @defaultValue `'both'` */
  readonly direction?: 'toTarget' | 'fromTarget' | 'both' | undefined;
  /**
   * Cuts the bytes into pieces of at most this many bytes. Each piece is sent in its own turn, about a millisecond
   * after the piece before. The sizes of an array are used one after another, and then from the first again. The
   * receiver's system may still join pieces.
   * @defaultValue no limit
   */
  readonly slice?: number | readonly number[] | undefined;
  /** How much later bytes, FINs and resets are passed on, in milliseconds. @defaultValue 0 */
  readonly delay?: number | undefined;
  /** The bandwidth, in bytes per second. 0 and Infinity mean no limit. @defaultValue 0 */
  readonly throttle?: number | undefined;
  /**
   * After how many bytes the receiver gets a FIN. The proxy drops the bytes after them. The other direction continues.
   * Not together with `reset`.
   * @defaultValue never
   */
  readonly cut?: number | undefined;
  /** After how many bytes both sides get a reset. Not together with `cut`. @defaultValue never */
  readonly reset?: number | undefined;
}

/** A listening proxy: see {@link faultyProxy}. */
export interface FaultyProxy extends AsyncDisposable {
  /** The address to connect to. */
  readonly host: string;
  /** The port to connect to. */
  readonly port: number;
  /** Stops listening and resets all connections, on both sides. Resolves when everything is closed. */
  close(): Promise<void>;
}

/** The proxy sets no time limits of its own: the client and the target decide. */
const noTimeouts = { halfOpenTimeout: 0, finTimeout: 0 };

/**
 * Starts a proxy on a free loopback port that behaves like a bad network: it cuts the bytes into different pieces,
 * delays or throttles them, ends the connection too early, or resets it. Without faults it changes nothing. The faults
 * are not random: the same options have the same effect every time. For each client, the proxy connects to the target
 * first, and passes nothing on before the target has accepted.
 *
 * **Half-close**: each direction ends on its own, and the proxy passes each FIN on. A reset by one side becomes a reset
 * for the other side. If the target refuses the connection, the client gets a reset.
 *
 * **Backpressure**: a receiver that does not read makes the sender wait; a few hundred KiB may be queued between them.
 * At a `reset`, bytes that the receiver had no room for are lost.
 *
 * @returns Resolves when the proxy listens.
 * @throws At the call: TypeError or RangeError for an option with an invalid value; TypeError for `cut` together with
 * `reset`.
 * @throws As a rejection: {@link SocketError} with Node's code if the proxy cannot listen.
 *
 * @example
 * ```ts
 * import { connect, lines, through } from '@rxsock/core';
 * import { faultyProxy } from '@rxsock/core/testing';
 * import { lastValueFrom, of, toArray } from 'rxjs';
 *
 * await using proxy = await faultyProxy({ target: { port: 7 }, slice: 1 });
 * const echo = of('one\r\ntwo\r\n').pipe(through(connect({ port: proxy.port })), lines(), toArray());
 * console.log(await lastValueFrom(echo)); // one byte at a time, and still ['one', 'two']
 * ```
 */
export function faultyProxy(options: FaultyProxyOptions): Promise<FaultyProxy> {
  checkOptions(options, '{ target: { port: 7 } }');
  const { target, direction = 'both', delay = 0, throttle = 0, slice, cut, reset } = options;
  checkObject('target', target, 'an object, as in { port: 7 }');
  if (target.host !== undefined) checkHost('target.host', target.host);
  checkPort('target.port', target.port, 1);
  checkOneOf('direction', direction, ['toTarget', 'fromTarget', 'both']);
  checkDelay('delay', delay);
  checkRate('throttle', throttle);
  const faults: Faults = { latency: delay, bandwidth: throttle, slice, cut, reset };
  checkFaults(faults);
  return startProxy(target, direction, faults);
}

async function startProxy(
  { host = '127.0.0.1', port }: FaultyProxyOptions['target'],
  direction: NonNullable<FaultyProxyOptions['direction']>,
  faults: Faults,
): Promise<FaultyProxy> {
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    controlOf(socket).afterClose(() => sockets.delete(socket));
    return socket;
  };
  const relayToTarget = (client: Socket): Observable<never> => {
    const server = track(connect({ host, port, ...noTimeouts }));
    const [near, far] = duplexPair({
      scheduler: asyncScheduler,
      window: 65_536,
      faults: [direction === 'fromTarget' ? {} : faults, direction === 'toTarget' ? {} : faults],
    });
    // A target that refuses fails the relays below.
    const accepted = server.pipe(
      on('connect'),
      take(1),
      ignoreElements(),
      catchError(() => EMPTY),
    );
    // An error of one side is ignored here: it reaches the other side as a reset through the channel, after the bytes
    // that are in transit.
    const clientSide = relay(client, track(fromDuplex(near, noTimeouts))).pipe(catchError(() => EMPTY));
    const targetSide = relay(track(fromDuplex(far, noTimeouts)), server).pipe(catchError(() => EMPTY));
    return concat(accepted, merge(clientSide, targetSide));
  };

  const listener = listen({ ...noTimeouts, claimTimeout: 0 });
  // If the proxy cannot listen, firstValueFrom() below rejects with the same error.
  listener.pipe(connections(), mergeMap(relayToTarget)).subscribe({ error: () => {} });
  const { address } = await firstValueFrom(listener.pipe(on('listening')));
  const close = async () => {
    const closed = listener.close({ drain: 0 });
    const aborted = [...sockets].map((socket) => socket.close({ timeout: 0 }));
    await Promise.all([closed, ...aborted]);
  };
  return { host: address.address, port: address.port, close, [Symbol.asyncDispose]: close };
}
