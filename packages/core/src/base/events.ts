// The typed events of a socket, with Node's own names.
import type { X509Certificate } from 'node:crypto';
import type { Endpoint } from './endpoint.js';

/** How a connection ended, and how many bytes passed over it. */
export interface CloseReport {
  /**
   * The side that ended it: the side whose failure (reset, abort, timeout or error) came first. Without a failure, the
   * side whose FIN came first.
   */
  readonly by: 'local' | 'peer';
  /** How it ended. `upgraded`: another socket has taken over the connection, as for STARTTLS. */
  readonly how: 'fin' | 'reset' | 'timeout' | 'abort' | 'error' | 'upgraded';
  /** How many bytes were received. */
  readonly bytesRead: number;
  /** How many bytes were handed to the kernel. Only the peer knows whether it has read them. */
  readonly bytesWritten: number;
  /** How many written bytes were not handed to the kernel: an upper bound. */
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
/** The socket tries to connect to an address. */
export interface ConnectionAttemptEvent {
  readonly type: 'connectionAttempt';
  readonly address: string;
  readonly port: number;
}
/** The socket could not connect to an address. */
export interface ConnectionAttemptFailedEvent {
  readonly type: 'connectionAttemptFailed';
  readonly address: string;
  readonly port: number;
  readonly code: string;
}
/** The connection is open. Over TLS, the handshake begins now. Later subscribers receive this event too. */
export interface ConnectEvent {
  readonly type: 'connect';
  readonly local: Endpoint | undefined;
  readonly remote: Endpoint | undefined;
}
/** TLS only: the handshake is done. Later subscribers receive this event too. */
export interface SecureConnectEvent {
  readonly type: 'secureConnect';
  /** `TLSv1.3`, `TLSv1.2`, … */
  readonly protocol: string | undefined;
  /** The IANA name of the cipher suite. */
  readonly cipher: string | undefined;
  /** The application protocol that ALPN chose. */
  readonly alpn: string | undefined;
  /** Whether the peer's certificate was verified. On a server, `false` for a client that presented none. */
  readonly authorized: boolean;
  /** The peer's certificate, if it presented one. */
  readonly peer: X509Certificate | undefined;
}
/** Bytes from the peer. You may keep the buffer. */
export interface DataEvent {
  readonly type: 'data';
  readonly data: Buffer;
}
/** Everything written was handed to the kernel. Emitted if `next()` has returned `false` before. */
export interface DrainEvent {
  readonly type: 'drain';
}
/** The peer's FIN, after all its bytes were delivered. Later subscribers receive this event too. */
export interface EndEvent {
  readonly type: 'end';
}
/** Our FIN was sent, after everything before it was handed to the kernel. Later subscribers receive this event too. */
export interface FinishEvent {
  readonly type: 'finish';
}
/** Nothing was read or written for `idleTimeout`. The socket fails next. */
export interface TimeoutEvent {
  readonly type: 'timeout';
}
/** The connection is closed. Always the last event. */
export interface CloseEvent {
  readonly type: 'close';
  readonly report: CloseReport;
}

/** The events of a {@link Socket}. */
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

/** The event of one type, out of a union. */
export type EventOf<E extends { readonly type: string }, K extends E['type']> = Extract<E, { readonly type: K }>;
