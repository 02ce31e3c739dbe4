// The typed events of a server, with Node's own names.
import type { Endpoint } from '../base/endpoint.js';
import type { SocketError } from '../base/errors.js';
import type { Socket } from '../socket.js';

/** The server accepts connections. Later subscribers receive this event too. */
export interface ListeningEvent<A extends Endpoint = Endpoint> {
  readonly type: 'listening';
  readonly address: A;
}
/** A connection was accepted. Its socket is open, and paused until somebody subscribes to it. */
export interface ConnectionEvent {
  readonly type: 'connection';
  readonly socket: Socket;
}
/** The server refused or gave up a connection. */
export interface DropEvent {
  readonly type: 'drop';
  /**
   * `maxConnections`: there were too many at once. `maxConnectionsPerAddress`: its client had too many.
   * `maxHandshakes`: too many TLS handshakes were in progress. `acceptError`: the system could not accept it.
   * `handshake`: its TLS handshake failed. `unclaimed`: nobody subscribed to its socket within `claimTimeout`.
   * `proxyProtocol`: it did not begin with a PROXY header of a trusted proxy.
   */
  readonly reason:
    | 'maxConnections'
    | 'maxConnectionsPerAddress'
    | 'maxHandshakes'
    | 'acceptError'
    | 'handshake'
    | 'proxyProtocol'
    | 'unclaimed';
  readonly remote: Endpoint | undefined;
  /** The error, for `acceptError`, `handshake` and `proxyProtocol`. */
  readonly error: SocketError | undefined;
}
/** A connection that `serve` handles has failed, or its handler has. */
export interface ConnectionErrorEvent<S = Socket> {
  readonly type: 'connectionError';
  readonly socket: S;
  readonly error: unknown;
}
/** The server has stopped accepting and waits for its connections to end. */
export interface DrainingEvent {
  readonly type: 'draining';
}
/** The server is closed. Always its last event. */
export interface ServerCloseEvent {
  readonly type: 'close';
}

/** The events of a {@link Server}. */
export type ServerEvent<A extends Endpoint = Endpoint> =
  | ListeningEvent<A>
  | ConnectionEvent
  | DropEvent
  | DrainingEvent
  | ServerCloseEvent;
