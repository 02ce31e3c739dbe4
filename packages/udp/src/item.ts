// What is given to `next()` and `send()`, checked.
import { inspect } from 'node:util';
import type { Chunk, SocketError } from '@rxsock/core';
import type { Datagram, Destination } from './events.js';
import { checkWhole, type Setup } from './options.js';

/** A datagram on its way out. */
export interface Item {
  /** As it is told in events. */
  readonly datagram: Datagram;
  readonly bytes: Uint8Array;
  /** Told how it went. */
  readonly settle?: ((error?: SocketError) => void) | undefined;
}

/** Makes an item of what was given to `next()` or `send()`; refuses what is no datagram. */
export function toItem(given: Chunk | Datagram, { near, host, port }: Setup, settle?: Item['settle']): Item {
  if (typeof given === 'string' || given instanceof Uint8Array) {
    if (!near) throw new TypeError('A socket without a peer sends { data, remote: { address, port } }, no bare chunks');
    return { datagram: { data: given, remote: { address: host, port } }, bytes: toBytes(given), settle };
  }
  const bytes = toBytes(given?.data);
  checkDestination(given.remote);
  return { datagram: given, bytes, settle };
}

function toBytes(data: unknown): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  if (data instanceof Uint8Array) return data;
  throw new TypeError(`The data of a datagram must be a string or a Uint8Array, not ${inspect(data, { depth: 0 })}`);
}

function checkDestination(remote: Destination | undefined): void {
  if (typeof remote?.address !== 'string') {
    throw new TypeError(`A datagram needs a remote: { address, port }, not ${inspect(remote, { depth: 0 })}`);
  }
  checkWhole('remote.port', remote.port, 0, 65_535);
}
