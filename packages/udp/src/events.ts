// The events of a datagram socket, and the datagrams it takes.
import type { Chunk, DrainEvent, InternetEndpoint, ListeningEvent, SocketError } from '@rxsock/core';

/** Where a datagram goes: an address, or a name that the socket resolves, and a port. */
export interface Destination {
  /** A numeric address or a host name. An IPv6 address may be in brackets, as in a URL. */
  readonly address: string;
  readonly port: number;
}

/** A datagram to send. A {@link Message} is one too: sent unchanged, it goes back to its sender. */
export interface Datagram {
  /** A string is sent as UTF-8. May be empty. */
  readonly data: Chunk;
  readonly remote: Destination;
}

/** A datagram that was received. */
export interface Message {
  readonly type: 'message';
  /** The bytes of the datagram, possibly none. The buffer is yours to keep. */
  readonly data: Buffer;
  /** The sender. */
  readonly remote: InternetEndpoint;
}

/** A datagram was not sent, or the peer refused it. The socket stays open. */
export interface SendErrorEvent {
  readonly type: 'sendError';
  /** `undefined` if the peer refused a datagram that had already left: the system does not say which one. */
  readonly datagram: Datagram | undefined;
  readonly error: SocketError;
}

/** What passed through a datagram socket. */
export interface DatagramReport {
  /** Datagrams received, including those dropped in this process, without those blocked. */
  readonly messagesRead: number;
  /** The bytes in them. */
  readonly bytesRead: number;
  /** Datagrams that the kernel has taken. Only the peer knows whether they arrived. */
  readonly messagesWritten: number;
  /** The bytes in them. */
  readonly bytesWritten: number;
  /**
   * Datagrams that failed, or that were still pending when the socket closed. The latter may have left: an upper bound.
   */
  readonly messagesUnsent: number;
  /** Datagrams received and dropped in this process: nobody was subscribed, or the queue of `mapMessages` was full. */
  readonly messagesDropped: number;
  /** Datagrams from addresses on the `blockList` and, on a connected socket, from anybody but the peer. */
  readonly messagesBlocked: number;
  /** How long the socket has been open, in milliseconds; 0 if it never was. */
  readonly duration: number;
}

/** The socket is closed. Always the last event. */
export interface DatagramCloseEvent {
  readonly type: 'close';
  readonly report: DatagramReport;
}

/** Every event of a {@link DatagramSocket}. */
export type DatagramEvent =
  | ListeningEvent<InternetEndpoint>
  | Message
  | SendErrorEvent
  | DrainEvent
  | DatagramCloseEvent;
