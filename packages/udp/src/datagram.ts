// Checks what is passed to `next()`, `send()` and `request()`.
import { inspect, types } from 'node:util';
import type { Chunk } from '@rxsock/core';
import { checkHost } from '@rxsock/core/internal';
import type { Datagram } from './events.js';
import { checkDatagramPort, type SocketSetup } from './setup.js';

const isChunk = (data: unknown): data is Chunk => typeof data === 'string' || types.isUint8Array(data);

/**
 * Returns the datagram to send. On a connected socket, a chunk of bytes alone becomes a datagram to the peer.
 * @throws TypeError or RangeError if `input` is not a datagram.
 */
export function toDatagram(input: Chunk | Datagram, { connectFrom, host, port }: SocketSetup): Datagram {
  const datagram =
    connectFrom && isChunk(input) ? { data: input, remote: { address: host, port } } : (input as Datagram);
  if (!isChunk(datagram?.data) || typeof datagram.remote?.address !== 'string') {
    throw new TypeError(
      'The datagram must be { data, remote: { address, port } } with a string or a Uint8Array as data, ' +
        `not ${inspect(input, { depth: 0 })}: only a connected socket takes the data alone`,
    );
  }
  checkHost('remote.address', datagram.remote.address);
  checkDatagramPort('remote.port', datagram.remote.port, 0);
  return datagram;
}
