// What goes through a datagram socket, and what it tells.
import type { Chunk, DrainEvent, InternetEndpoint, ListeningEvent, SocketError } from '@rxsock/core';

/** Where a datagram is to go: a port, and an address or a name that is resolved for it. */
export interface Destination {
  readonly address: string;
  readonly port: number;
}

/** A datagram to be sent. A {@link Message} is one, too: sent as it is, it goes back to where it came from. */
export interface Datagram {
  /** A string is sent as UTF-8. May be empty. */
  readonly data: Chunk;
  readonly remote: Destination;
}

/** A datagram has come. The buffer is yours to keep; it is empty where the datagram was. */
export interface Message {
  readonly type: 'message';
  readonly data: Buffer;
  readonly remote: InternetEndpoint;
}

/** A datagram was not sent, or was refused. The socket goes on. */
export interface SendErrorEvent {
  readonly type: 'sendError';
  /** `undefined` where the system does not say which: a connected peer refused one that was already out. */
  readonly datagram: Datagram | undefined;
  readonly error: SocketError;
}

/** What has passed through a socket. */
export interface DatagramReport {
  /** Datagrams received, those that were dropped here included, those that were blocked not. */
  readonly messagesRead: number;
  /** Bytes in them. */
  readonly bytesRead: number;
  /** Datagrams handed to the kernel. Whether they arrived, only the peer can tell. */
  readonly messagesWritten: number;
  /** Bytes in them. */
  readonly bytesWritten: number;
  /** Datagrams that failed, or that were not known to have left when the socket was closed: an upper bound. */
  readonly messagesUnsent: number;
  /** Datagrams received that nobody got: nobody was subscribed, or `mapMessages` had no room. */
  readonly messagesDropped: number;
  /** Datagrams from addresses on the `blockList` and, where the socket is connected, from strangers. */
  readonly messagesBlocked: number;
  /** How long the socket has been open, in milliseconds; 0 if it never was. */
  readonly duration: number;
}

/** The socket is closed. Always the last event. */
export interface DatagramCloseEvent {
  readonly type: 'close';
  readonly report: DatagramReport;
}

/** What a {@link DatagramSocket} tells. */
export type DatagramEvent =
  | ListeningEvent<InternetEndpoint>
  | Message
  | SendErrorEvent
  | DrainEvent
  | DatagramCloseEvent;
