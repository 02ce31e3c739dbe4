// When a socket begins to carry bytes.
import type { ConnectEvent, SecureConnectEvent } from '../base/events.js';
import type { Socket } from '../socket.js';

/** The event after which a socket carries bytes: one of TLS has its handshake to do when it is connected. */
export function readyEvent(socket: Socket): (ConnectEvent | SecureConnectEvent)['type'] {
  return socket.type === 'tls' ? 'secureConnect' : 'connect';
}
