// The relay of faultyProxy(): it passes each connection through a pair of sockets in memory, and the channels between
// these two have the faults.
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
import type { Endpoint } from '../base/endpoint.js';
import type { SocketOptions } from '../engine/limits.js';
import { connections } from '../operators/connections.js';
import { on } from '../operators/on.js';
import { relay } from '../operators/relay.js';
import type { Server } from '../server/server.js';
import { controlOf, type Socket } from '../socket.js';
import { fromDuplex } from '../streams/from-duplex.js';
import type { NetworkFaults } from './faults.js';
import { duplexPair } from './memory-duplex.js';

/** Which direction has the faults. */
export type ProxyDirection = 'toTarget' | 'fromTarget' | 'both';

export interface RelayOptions<A extends Endpoint> {
  /** An idle server for the clients. */
  readonly listener: Server<A>;
  /** Returns an idle socket to the target. */
  readonly dial: () => Socket;
  readonly direction: ProxyDirection;
  readonly faults: NetworkFaults;
  /** The options of the sockets in memory. */
  readonly noTimeouts: SocketOptions;
}

export interface Relay<A> {
  readonly address: A;
  /** Stops listening and resets all connections. Resolves when everything is closed. */
  close(): Promise<void>;
}

/** Starts to listen. Rejects if it cannot. */
export async function startRelay<A extends Endpoint>(options: RelayOptions<A>): Promise<Relay<A>> {
  const { listener, dial, direction, faults, noTimeouts } = options;
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    controlOf(socket).afterClose(() => sockets.delete(socket));
    return socket;
  };
  const relayToTarget = (client: Socket, connectionNumber: number): Observable<never> => {
    const server = track(dial());
    const [near, far] = duplexPair({
      scheduler: asyncScheduler,
      windows: [65_536, 65_536],
      faults: [direction === 'fromTarget' ? {} : faults, direction === 'toTarget' ? {} : faults],
      connectionNumber,
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

  // If the proxy cannot listen, firstValueFrom() below rejects with the same error.
  listener.pipe(connections(), mergeMap(relayToTarget)).subscribe({ error: () => {} });
  const { address } = await firstValueFrom(listener.pipe(on('listening')));
  const close = async () => {
    const closed = listener.close({ drain: 0 });
    const aborted = [...sockets].map((socket) => socket.close({ timeout: 0 }));
    await Promise.all([closed, ...aborted]);
  };
  return { address, close };
}
