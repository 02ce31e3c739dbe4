// The channels by name, with the type of what each publishes.
import type { Registrable } from '../base/registrable.js';
import type {
  DatagramCloseMessage,
  DatagramDropMessage,
  DatagramErrorMessage,
  DatagramOpenMessage,
  PoolErrorMessage,
  ReconnectCloseMessage,
  ReconnectRetryMessage,
  ServerCloseMessage,
  ServerConnectionMessage,
  ServerDrainingMessage,
  ServerDropMessage,
  ServerListeningMessage,
  SocketCloseMessage,
  SocketDialMessage,
  SocketErrorMessage,
  SocketHoldMessage,
  SocketOpenMessage,
  SocketReleaseMessage,
} from '../observe/messages.js';
import type { ConnectionPool } from '../pool/connection-pool.js';
import type { ReconnectingSocket } from '../reconnect/reconnecting-socket.js';
import type { Server } from '../server/server.js';
import type { Socket } from '../socket.js';

/** A `DatagramSocket` of `@rxsock/udp`, as the channels show it. */
export interface ObservedDatagramSocket extends Registrable {
  readonly id: number;
  readonly type: 'udp';
  /** How many bytes wait to be sent. */
  readonly writableLength: number;
}

/**
 * What each channel publishes, and when. The channels are those of `node:diagnostics_channel`: a message is built only
 * if somebody is subscribed, and delivered in the same call. An error that a subscriber throws does not disturb the
 * socket: Node makes it an uncaught exception of the next tick.
 */
export interface ChannelMessages {
  /**
   * A socket begins to dial: at its first subscription, or by `write()`, `complete()`. An upgraded socket begins its
   * handshake. Accepted sockets, and streams that are open when `fromDuplex` gets them, publish no `dial`.
   */
  readonly 'rxsock:socket:dial': SocketDialMessage<Socket>;
  /** A socket is open, its handshake included: before its subscribers receive `connect` or `secureConnect`. */
  readonly 'rxsock:socket:open': SocketOpenMessage<Socket>;
  /**
   * The first hold of a socket: it delivers nothing until the release. Further holds publish nothing, nor
   * does a hold that ends by itself in the next turn of the event loop.
   */
  readonly 'rxsock:socket:hold': SocketHoldMessage<Socket>;
  /** The last hold is released: before the socket delivers again. */
  readonly 'rxsock:socket:release': SocketReleaseMessage<Socket>;
  /** A socket fails: when the reason is known. Its subscribers may receive it later, behind bytes that wait. */
  readonly 'rxsock:socket:error': SocketErrorMessage<Socket>;
  /** A socket that has dialled, or was open, is closed: before its subscribers receive `close`. */
  readonly 'rxsock:socket:close': SocketCloseMessage<Socket>;
  /** A server listens: before its subscribers receive `listening`. */
  readonly 'rxsock:server:listening': ServerListeningMessage<Server>;
  /** A server has accepted a connection: before `rxsock:socket:open` of its socket. */
  readonly 'rxsock:server:connection': ServerConnectionMessage<Server, Socket>;
  /** A server has refused or given up a connection, for each reason of the event `drop`. */
  readonly 'rxsock:server:drop': ServerDropMessage<Server>;
  /** `close()` of a server was called while it accepted connections. */
  readonly 'rxsock:server:draining': ServerDrainingMessage<Server>;
  /** A server that has begun to listen is closed, with its connections; or it could not listen. */
  readonly 'rxsock:server:close': ServerCloseMessage<Server>;
  /** A datagram socket is open: before its subscribers receive `listening`. */
  readonly 'rxsock:datagram:open': DatagramOpenMessage<ObservedDatagramSocket>;
  /** A datagram was received, and dropped in this process. */
  readonly 'rxsock:datagram:drop': DatagramDropMessage<ObservedDatagramSocket>;
  /** A datagram was not sent, as in `sendError`; or the socket fails, and `rxsock:datagram:close` follows. */
  readonly 'rxsock:datagram:error': DatagramErrorMessage<ObservedDatagramSocket>;
  /** A datagram socket that has begun to open is closed: before its subscribers receive `close`. */
  readonly 'rxsock:datagram:close': DatagramCloseMessage<ObservedDatagramSocket>;
  /** A reconnecting socket has scheduled its next attempt: before its subscribers receive `retry`. */
  readonly 'rxsock:reconnect:retry': ReconnectRetryMessage<ReconnectingSocket>;
  /** A reconnecting socket has ended, and does not connect again: before its subscribers complete or fail. */
  readonly 'rxsock:reconnect:close': ReconnectCloseMessage<ReconnectingSocket>;
  /** An `acquire()` of a pool fails: before its subscriber receives the error. */
  readonly 'rxsock:pool:error': PoolErrorMessage<ConnectionPool>;
}

/** The name of a channel. */
export type ChannelName = keyof ChannelMessages;
