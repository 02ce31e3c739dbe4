// What the diagnostics channels publish. `S` is the type of the socket or server, which lies in a higher room.
import type { Endpoint } from '../base/endpoint.js';
import type { SocketError } from '../base/errors.js';
import type { CloseReport } from '../base/events.js';

/** Which end opened a connection. `undefined` for a stream that was given to `fromDuplex`: only its owner knows. */
export type ConnectionRole = 'client' | 'server' | undefined;

/** What every message about a socket says. Its `id`, its endpoints and its counters are properties of the socket. */
export interface SocketMessage<S> {
  readonly socket: S;
  readonly role: ConnectionRole;
}

/** A socket has begun to dial, or to secure a stream that is open. */
export interface SocketDialMessage<S> extends SocketMessage<S> {
  /** What it connects to, as messages name it: `example.com:443`. */
  readonly target: string;
}

/** A socket is open. */
export interface SocketOpenMessage<S> extends SocketMessage<S> {
  readonly local: Endpoint | undefined;
  readonly remote: Endpoint | undefined;
  /**
   * How long it took from `dial` to the open connection, handshake included, in milliseconds. `undefined` for an
   * accepted socket, and if nobody was subscribed to `dial` or `open` when it began.
   */
  readonly dialDuration: number | undefined;
  /** The part of a TLS handshake in it, in milliseconds; on a server the whole handshake. `undefined` as above. */
  readonly handshakeDuration: number | undefined;
}

/** A socket has stopped reading for a consumer: see `socket.holds` for who holds it. */
export interface SocketHoldMessage<S> extends SocketMessage<S> {}

/** Nobody holds a socket any more. */
export interface SocketReleaseMessage<S> extends SocketMessage<S> {
  /** How long it was held, in milliseconds. `undefined` if nobody was subscribed when it began. */
  readonly duration: number | undefined;
}

/** A socket has failed. */
export interface SocketErrorMessage<S> extends SocketMessage<S> {
  readonly error: SocketError;
}

/** A socket is closed. */
export interface SocketCloseMessage<S> extends SocketMessage<S> {
  readonly report: CloseReport;
  /** What it failed with, as in `rxsock:socket:error`. */
  readonly error: SocketError | undefined;
}

/** A server listens. */
export interface ServerListeningMessage<V> {
  readonly server: V;
  readonly address: Endpoint;
}

/** A server has accepted a connection. */
export interface ServerConnectionMessage<V, S> {
  readonly server: V;
  readonly socket: S;
}

/** A server has refused or given up a connection. */
export interface ServerDropMessage<V> {
  readonly server: V;
  /** As in the event `drop` of the server. */
  readonly reason: string;
  readonly remote: Endpoint | undefined;
  readonly error: SocketError | undefined;
}

/** A server accepts no more, and waits for its connections. */
export interface ServerDrainingMessage<V> {
  readonly server: V;
}

/** A server is closed. */
export interface ServerCloseMessage<V> {
  readonly server: V;
  /** Why it could not listen. */
  readonly error: SocketError | undefined;
}

/** A datagram socket is open. */
export interface DatagramOpenMessage<D> {
  readonly socket: D;
  readonly local: Endpoint;
  /** The peer of a connected socket. */
  readonly remote: Endpoint | undefined;
}

/** A datagram was received and dropped in this process. */
export interface DatagramDropMessage<D> {
  readonly socket: D;
  /**
   * `blocked`: its sender is on the `blockList`, or is not the peer of a connected socket. `unread`: nobody was
   * subscribed. `overflow`: the queue of `mapMessages` was full.
   */
  readonly reason: 'blocked' | 'unread' | 'overflow';
  /** The sender. */
  readonly remote: Endpoint;
  /** The length of the datagram in bytes. */
  readonly length: number;
}

/** A datagram could not be sent, or the datagram socket has failed. */
export interface DatagramErrorMessage<D> {
  readonly socket: D;
  readonly error: SocketError;
}

/** A datagram socket is closed. */
export interface DatagramCloseMessage<D> {
  readonly socket: D;
  /** What it failed with. */
  readonly error: SocketError | undefined;
}

/** A reconnecting socket has lost its connection, or an attempt has failed: the next one is scheduled. */
export interface ReconnectRetryMessage<R> {
  readonly socket: R;
  /** The number of the attempt, as in the event `retry`. */
  readonly attempt: number;
  /** How long until the attempt, in milliseconds. */
  readonly delay: number;
  /** What the connection or the attempt before has failed with; `undefined` if both sides ended with FIN. */
  readonly error: SocketError | undefined;
}

/** A reconnecting socket has ended, and does not connect again. */
export interface ReconnectCloseMessage<R> {
  readonly socket: R;
  /** What it has failed with: also what a function of yours has thrown. `undefined` if it was closed. */
  readonly error: unknown;
}

/** An `acquire()` of a pool has failed. */
export interface PoolErrorMessage<P> {
  readonly pool: P;
  /** What it has failed with: also what the factory has thrown. */
  readonly error: unknown;
}
