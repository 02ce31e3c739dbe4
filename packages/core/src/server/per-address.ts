// maxConnectionsPerAddress: counts the open connections of each client.
import type * as net from 'node:net';
import { isIPv4 } from 'node:net';
import { addressBytes, plainAddress } from '../base/address-bytes.js';
import type { Endpoint } from '../base/endpoint.js';
import type { Admission } from './admission.js';

/** Limits how many connections each client has open. */
export class ConnectionsPerAddress implements Admission {
  readonly reason = 'maxConnectionsPerAddress';
  /** How many connections each client has open. A client that has none is not in it. */
  readonly open = new Map<string, number>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  admits(stream: net.Socket, remote: Endpoint | undefined): boolean {
    // A client that has already gone has no address. All of those count as one.
    const client = remote && 'address' in remote ? clientOf(remote.address) : '';
    const open = this.open.get(client) ?? 0;
    if (open >= this.#most) return false;
    this.open.set(client, open + 1);
    stream.once('close', () => this.#leave(client));
    return true;
  }

  #leave(client: string): void {
    const rest = (this.open.get(client) ?? 1) - 1;
    if (rest > 0) this.open.set(client, rest);
    else this.open.delete(client);
  }
}

/**
 * Returns the part of an address that stands for one client. With IPv6 that is the network of 64 bits: the smallest one
 * that a site gets, and one machine can use all of its addresses.
 */
function clientOf(address: string): string {
  const plain = plainAddress(address);
  if (isIPv4(plain)) return plain;
  const bytes = addressBytes(plain);
  // On one link, the first half of all link-local addresses (fe80::/10) is the same.
  const isLinkLocal = bytes.readUInt16BE() >> 6 === 0xfe80 >> 6;
  return bytes.toString('hex', 0, isLinkLocal ? 16 : 8);
}
