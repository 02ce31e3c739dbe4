// Byte taps: they see the bytes of all sockets of this process, in the order in which they came and left. A socket asks
// `taps.length` before it calls one of the functions, so that it costs nothing while there is no tap.
import type { Endpoint } from '../base/endpoint.js';
import { guarded } from '../base/guarded.js';

/**
 * Sees the bytes of every socket: after decryption for TLS. A tap takes what it wants by the socket, and copies the bytes
 * that it keeps: they are valid during the call only. It must not write to, hold or close a socket. An error that it
 * throws is reported in a later turn and harms nobody.
 *
 * For one socket the order is: `rxsock:socket:open` (for an accepted one `rxsock:server:connection` before it), then
 * these calls in the order of what happened, then `rxsock:socket:close`.
 */
export interface ByteTap<S = object> {
  /** Bytes came from the peer. They may wait for a reader still. */
  received(socket: S, bytes: Uint8Array): void;
  /** The peer's FIN came. It may wait behind bytes for a reader still. */
  receivedEnd(socket: S): void;
  /** Bytes were handed to the Node stream, which hands them to the kernel: `bytesUnsent` of the report says how many not. */
  sent(socket: S, bytes: Uint8Array): void;
  /** Our FIN was sent. */
  sentEnd(socket: S): void;
  /** A datagram came: also one that nobody reads, but none that is blocked. */
  datagramReceived(socket: S, bytes: Uint8Array, remote: Endpoint): void;
  /** The kernel has taken a datagram. @param remote Its address may be a name that the system has resolved. */
  datagramSent(socket: S, bytes: Uint8Array, remote: DatagramDestination): void;
}

/** Where a datagram goes. */
export interface DatagramDestination {
  readonly address: string;
  readonly port: number;
}

export const taps: ByteTap[] = [];

/**
 * Attaches a tap to all sockets, also those that are open already. The returned function removes it.
 */
export function tapBytes<S extends object>(tap: ByteTap<S>): () => void {
  const added = tap as ByteTap<never> as ByteTap;
  taps.push(added);
  return () => {
    const index = taps.indexOf(added);
    if (index >= 0) taps.splice(index, 1);
  };
}

/** Calls every tap. */
export function notifyTaps(call: (tap: ByteTap) => void): void {
  for (const tap of [...taps]) guarded(() => call(tap));
}
