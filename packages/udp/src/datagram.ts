// What is given to `next()`, `send()` and `request()`, checked.
import type { Chunk } from '@rxsock/core';
import type { Datagram } from './events.js';
import { checkPort, type Setup } from './options.js';

const isChunk = (data: unknown): data is Chunk => typeof data === 'string' || data instanceof Uint8Array;

/** Addresses a bare chunk to the peer, where there is one; refuses what is no datagram. */
export function toDatagram(given: Chunk | Datagram, { near, host, port }: Setup): Datagram {
  const datagram = near && isChunk(given) ? { data: given, remote: { address: host, port } } : (given as Datagram);
  if (!isChunk(datagram?.data) || typeof datagram.remote?.address !== 'string') {
    throw new TypeError(
      'A datagram is { data, remote: { address, port } }, its data a string or a Uint8Array; a socket with a peer takes bare data, too',
    );
  }
  checkPort('remote.port', datagram.remote.port, 0);
  return datagram;
}
