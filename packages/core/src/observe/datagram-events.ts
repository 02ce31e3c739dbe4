// Publishes what happens to datagram sockets: for @rxsock/udp, which calls these functions.
import type { Endpoint } from '../base/endpoint.js';
import type { SocketError } from '../base/errors.js';
import { type DatagramDestination, notifyTaps, taps } from './byte-tap.js';
import { datagramChannels } from './channels.js';
import { liveDatagramSockets } from './live.js';
import type {
  DatagramCloseMessage,
  DatagramDropMessage,
  DatagramErrorMessage,
  DatagramOpenMessage,
} from './messages.js';

const { open, drop, error, close } = datagramChannels;

/** The socket begins to open. */
export function datagramOpens(socket: object): void {
  liveDatagramSockets.add(socket);
}

/** The socket is open. */
export function publishDatagramOpen(socket: object, local: Endpoint, remote: Endpoint | undefined): void {
  if (open.hasSubscribers) open.publish({ socket, local, remote } satisfies DatagramOpenMessage<object>);
}

/** A datagram was dropped. @param length In bytes. */
export function publishDatagramDrop(
  socket: object,
  reason: DatagramDropMessage<object>['reason'],
  remote: Endpoint,
  length: number,
): void {
  if (drop.hasSubscribers) drop.publish({ socket, reason, remote, length } satisfies DatagramDropMessage<object>);
}

/** A datagram was not sent, or the socket has failed. */
export function publishDatagramError(socket: object, reason: SocketError): void {
  if (error.hasSubscribers) error.publish({ socket, error: reason } satisfies DatagramErrorMessage<object>);
}

/** The socket is closed. Publishes nothing for a socket that has never begun to open. */
export function publishDatagramClose(socket: object, failure: SocketError | undefined): void {
  if (liveDatagramSockets.delete(socket) && close.hasSubscribers)
    close.publish({ socket, error: failure } satisfies DatagramCloseMessage<object>);
}

/** A datagram came. */
export function tapDatagramReceived(socket: object, bytes: Uint8Array, remote: Endpoint): void {
  if (taps.length > 0) notifyTaps((tap) => tap.datagramReceived(socket, bytes, remote));
}

/** The kernel has taken a datagram. */
export function tapDatagramSent(socket: object, bytes: Uint8Array, remote: DatagramDestination): void {
  if (taps.length > 0) notifyTaps((tap) => tap.datagramSent(socket, bytes, remote));
}
