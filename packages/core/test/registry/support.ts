// A registry with open sockets in it, and their peers.
import type net from 'node:net';
import { type ConnectOptions, type Socket, SocketRegistry } from '@rxsock/core';
import { pair } from '../../../../tests/support/raw-peers.js';

/** Sockets of these names that are open, and nobody reads. */
export async function registered(names: readonly string[], options: Partial<ConnectOptions> = {}) {
  const registry = new SocketRegistry();
  const peers: net.Socket[] = [];
  const sockets: Socket[] = [];
  for (const name of names) {
    const { socket, peer } = await pair(options);
    sockets.push(registry.add(socket, name));
    peers.push(peer);
  }
  return { registry, sockets, peers };
}
