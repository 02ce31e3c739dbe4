// The typed events of a socket and of a server, with Node's own names.
import type { X509Certificate } from 'node:crypto';
import type { Socket } from '../socket.js';
import type { Endpoint } from './endpoint.js';
import type { SocketError } from './errors.js';

/** Who ended a connection and how, and what passed over it. */
export interface CloseReport {
  /** Which side ended it: the one whose FIN, reset, abort, timeout or error came first. */
  readonly by: 'local' | 'peer';
  /** `upgraded`: another socket has taken the connection over, as for STARTTLS. */
  readonly how: 'fin' | 'reset' | 'timeout' | 'abort' | 'error' | 'upgraded';
  /** Bytes received. */
  readonly bytesRead: number;
  /** Bytes handed to the kernel. Whether the peer has read them, only the peer can tell. */
  readonly bytesWritten: number;
  /** Bytes that were written here and never left: an upper bound. */
  readonly bytesUnsent: number;
  /** How long the connection was open, in milliseconds; 0 if it never was. */
  readonly duration: number;
}

/** A name was resolved to an address. */
export interface LookupEvent {
  readonly type: 'lookup';
  readonly host: string;
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
}
/** One address is being tried. */
export interface ConnectionAttemptEvent {
  readonly type: 'connectionAttempt';
  readonly address: string;
  readonly port: number;
}
/** One address was tried in vain. */
export interface ConnectionAttemptFailedEvent {
  readonly type: 'connectionAttemptFailed';
  readonly address: string;
  readonly port: number;
  readonly code: string;
}
/** The connection is open; over TLS, its handshake begins. Replayed to later subscribers. */
export interface ConnectEvent {
  readonly type: 'connect';
  readonly local: Endpoint | undefined;
  readonly remote: Endpoint | undefined;
}
/** TLS only: the handshake is over, and what it agreed on. Replayed to later subscribers. */
export interface SecureConnectEvent {
  readonly type: 'secureConnect';
  /** `TLSv1.3`, `TLSv1.2`, … */
  readonly protocol: string | undefined;
  /** The cipher suite, by its IANA name. */
  readonly cipher: string | undefined;
  /** The application protocol that ALPN has chosen. */
  readonly alpn: string | undefined;
  /** Whether the peer's certificate was verified. On a server, `false` for a client that showed none. */
  readonly authorized: boolean;
  /** The peer's certificate, if it showed one. */
  readonly peer: X509Certificate | undefined;
}
/** Bytes from the peer. The buffer is yours to keep. */
export interface DataEvent {
  readonly type: 'data';
  readonly data: Buffer;
}
/** After `next()` returned `false`: everything written has been handed to the kernel. */
export interface DrainEvent {
  readonly type: 'drain';
}
/** The peer's FIN, after all its bytes were delivered. Replayed to later subscribers. */
export interface EndEvent {
  readonly type: 'end';
}
/** Our FIN is out, and everything before it was handed to the kernel. Replayed to later subscribers. */
export interface FinishEvent {
  readonly type: 'finish';
}
/** Nothing was read or written for `idleTimeout`. The socket fails next. */
export interface TimeoutEvent {
  readonly type: 'timeout';
}
/** The connection is gone. Always the last event. */
export interface CloseEvent {
  readonly type: 'close';
  readonly report: CloseReport;
}

/** What a {@link Socket} tells. */
export type SocketEvent =
  | LookupEvent
  | ConnectionAttemptEvent
  | ConnectionAttemptFailedEvent
  | ConnectEvent
  | SecureConnectEvent
  | DataEvent
  | DrainEvent
  | EndEvent
  | FinishEvent
  | TimeoutEvent
  | CloseEvent;

/** The server accepts connections. Replayed to later subscribers. */
export interface ListeningEvent<A extends Endpoint = Endpoint> {
  readonly type: 'listening';
  readonly address: A;
}
/** A connection came in: its socket is open and paused. */
export interface ConnectionEvent {
  readonly type: 'connection';
  readonly socket: Socket;
}
/** A connection was refused or given up by the server itself. */
export interface DropEvent {
  readonly type: 'drop';
  /**
   * `maxConnections`: too many at once. `acceptError`: the system could not accept it. `handshake`: it did not get through
   * the TLS handshake. `unclaimed`: nobody subscribed to its socket within `claimTimeout`.
   */
  readonly reason: 'maxConnections' | 'unclaimed' | 'acceptError' | 'handshake';
  readonly remote: Endpoint | undefined;
  /** What went wrong, for `acceptError` and `handshake`. */
  readonly error: SocketError | undefined;
}
/** A connection that `serve` looked after failed, or its handler did. */
export interface ConnectionErrorEvent<S = Socket> {
  readonly type: 'connectionError';
  readonly socket: S;
  readonly error: unknown;
}
/** The server accepts nothing more and waits for its connections. */
export interface DrainingEvent {
  readonly type: 'draining';
}
/** The server is closed. Always its last event. */
export interface ServerCloseEvent {
  readonly type: 'close';
}

/** What a {@link Server} tells. */
export type ServerEvent<A extends Endpoint = Endpoint> =
  | ListeningEvent<A>
  | ConnectionEvent
  | DropEvent
  | DrainingEvent
  | ServerCloseEvent;

/** The event of one type, out of a union. */
export type EventOf<E extends { readonly type: string }, K extends E['type']> = Extract<E, { readonly type: K }>;
