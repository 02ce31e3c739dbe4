// The event that says that a socket carries bytes.
import type { ConnectEvent, SecureConnectEvent } from '../base/events.js';
import type { Socket } from '../socket.js';

/** Returns the type of the event after which a socket carries bytes. A TLS socket has its handshake after `connect`. */
export function readyEvent(socket: Socket): (ConnectEvent | SecureConnectEvent)['type'] {
  return socket.type === 'tls' ? 'secureConnect' : 'connect';
}
