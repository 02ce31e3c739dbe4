// The entry point @rxsock/core/diagnostics: what happens to the sockets and servers of this process.

export { type Holder, traceHolds } from '../flow/holds.js';
export type {
  ConnectionRole,
  DatagramCloseMessage,
  DatagramDropMessage,
  DatagramErrorMessage,
  DatagramOpenMessage,
  ServerCloseMessage,
  ServerConnectionMessage,
  ServerDrainingMessage,
  ServerDropMessage,
  ServerListeningMessage,
  SocketCloseMessage,
  SocketDialMessage,
  SocketErrorMessage,
  SocketHoldMessage,
  SocketMessage,
  SocketOpenMessage,
  SocketReleaseMessage,
} from '../observe/messages.js';
export { channel } from './channel.js';
export type { ChannelMessages, ChannelName, ObservedDatagramSocket } from './messages.js';
