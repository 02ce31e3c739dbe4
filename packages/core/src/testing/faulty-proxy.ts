// faultyProxy(): a bad network between a client and a server, on loopback. Each connection is passed through two sockets in
// memory, and the line between them has the faults.
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
import { connect } from '../connect.js';
import { listen } from '../listen.js';
import { connections } from '../operators/connections.js';
import { on } from '../operators/on.js';
import { relay } from '../operators/relay.js';
import { connectionOf, type Socket } from '../socket.js';
import { fromDuplex } from '../streams/from-duplex.js';
import { checkFaults, type LineFaults } from './line.js';
import { joinedEnds } from './line-end.js';

/** Options of {@link faultyProxy}. What they count, they count for each connection and each direction by itself. */
export interface FaultyProxyOptions {
  /** Where connections are passed on to. The host is `'127.0.0.1'` unless given. */
  readonly target: { readonly host?: string; readonly port: number };
  /** Which way the faults are. The other way everything passes as it comes. @defaultValue `'both'` */
  readonly direction?: 'toTarget' | 'fromTarget' | 'both';
  /**
   * The most bytes that are passed on at a time, each piece in a turn of its own, about a millisecond from the last;
   * several numbers are used in turn and over again. What the system of the receiver makes of it is up to that.
   * @defaultValue as they come
   */
  readonly slice?: number | readonly number[] | undefined;
  /** How much later everything is passed on, ends too, in milliseconds. @defaultValue 0 */
  readonly delay?: number | undefined;
  /** How much is passed on, in bytes per second; 0 = no limit. @defaultValue 0 */
  readonly throttle?: number | undefined;
  /** After how many bytes the receiver gets a FIN. The rest is swallowed, and the other way goes on. @defaultValue never */
  readonly cut?: number | undefined;
  /** After how many bytes both sides get a reset. @defaultValue never */
  readonly reset?: number | undefined;
}

/** A proxy that listens. */
export interface FaultyProxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Stops listening and resets what is still connected, on both sides. Resolves when all of it is closed. */
  close(): Promise<void>;
}

/** A proxy has no patience of its own to lose: the two sides decide. */
const patient = { halfOpenTimeout: 0, finTimeout: 0 };

/**
 * A proxy on a free port of loopback that does to your protocol what networks do: cuts the bytes into other pieces, is
 * late, is slow, ends too early, resets. Without faults it changes nothing. The same options do the same every time.
 *
 * Half-close: each direction ends by itself, and its FIN is passed on; a reset of one side is one for the other, and so
 * is a target that refuses. The target is dialled first: nothing is passed on before it has accepted. Backpressure: a
 * receiver that does not read makes the sender wait, with some hundred KiB between them; at a `reset`, bytes that the
 * receiver had no room for are lost.
 *
 * @throws RangeError for a number that means nothing, TypeError for `cut` together with `reset`: both as rejections.
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
export async function faultyProxy(options: FaultyProxyOptions): Promise<FaultyProxy> {
  const { target, direction = 'both', delay, throttle, slice, cut, reset } = options;
  const faults: LineFaults = { latency: delay, bandwidth: throttle, slice, cut, reset };
  checkFaults(faults, { delay, throttle });
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    connectionOf(socket).outcome.afterClose(() => sockets.delete(socket));
    return socket;
  };
  const join = (client: Socket): Observable<never> => {
    const server = keep(connect({ host: '127.0.0.1', ...target, ...patient }));
    const [near, far] = joinedEnds({
      scheduler: asyncScheduler,
      window: 65_536,
      faults: [direction === 'fromTarget' ? {} : faults, direction === 'toTarget' ? {} : faults],
    });
    const accepted = server.pipe(on('connect'), take(1), ignoreElements());
    // How one ends, the other hears over the line, after what is on its way.
    const ours = relay(client, keep(fromDuplex(near, patient))).pipe(catchError(() => EMPTY));
    const theirs = relay(keep(fromDuplex(far, patient)), server).pipe(catchError(() => EMPTY));
    return concat(accepted, merge(ours, theirs));
  };

  const listener = listen({ ...patient, claimTimeout: 0 });
  // That it cannot listen is told below.
  listener.pipe(connections(), mergeMap(join)).subscribe({ error: () => {} });
  const { address } = await firstValueFrom(listener.pipe(on('listening')));
  const close = async () => {
    const closed = listener.close({ drain: 0 });
    const gone = [...sockets].map((socket) => socket.close({ timeout: 0 }));
    await Promise.all([closed, ...gone]);
  };
  return { host: address.address, port: address.port, close, [Symbol.asyncDispose]: close };
}
