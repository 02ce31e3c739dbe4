// Requests over a reconnecting socket. Every connection has an exchange of its own: a request is sent once, and fails
// with the connection that it was sent on.
import {
  type Codec,
  type Exchange,
  type ExchangeOptions,
  exchange,
  type Framed,
  framed,
  type ReconnectingSocket,
} from '@rxsock/core';
import { type Observable, ReplaySubject, Subject } from 'rxjs';

/** One connection. */
export interface Connection<T> {
  readonly rpc: Exchange<T>;
  readonly frames: Framed<T>;
}

/** What a reconnecting socket gives to those who send requests. */
export interface Exchanges<T> {
  /** The present connection, or `undefined`, then every other one. It ends with the reconnecting socket. */
  readonly connection: Observable<Connection<T> | undefined>;
  /** What the peer sends on its own, on all connections. */
  readonly unsolicited: Observable<T>;
}

/** Dials, and makes an exchange for every connection. */
export function exchanges<T>(link: ReconnectingSocket, codec: Codec<T>, options: ExchangeOptions<T>): Exchanges<T> {
  const connection = new ReplaySubject<Connection<T> | undefined>(1);
  const unsolicited = new Subject<T>();
  link.readyStates.subscribe((state) => {
    const { socket } = link;
    if (state !== 'open' || !socket) return connection.next(undefined);
    const frames = framed(socket, codec);
    const rpc = exchange(frames, options);
    // From the first byte on, or the decoder would start in the middle of a message. After a message that cannot be
    // decoded nothing can be read, so the connection is aborted.
    rpc.unsolicited.subscribe({
      next: (message) => unsolicited.next(message),
      error: (error) => {
        connection.next(undefined);
        socket.error(error);
      },
      complete: () => connection.next(undefined),
    });
    connection.next({ rpc, frames });
  });
  link.subscribe({ error: (error) => connection.error(error), complete: () => connection.complete() });
  return { connection, unsolicited };
}
