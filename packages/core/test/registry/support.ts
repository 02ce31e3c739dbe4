// A registry with open sockets in it, and their peers.
import type net from 'node:net';
import type { ConnectOptions, Socket } from '@rxsock/core';
import { SocketRegistry } from '@rxsock/core/registry';
import { pair } from '../../../../tests/support/raw-peers.js';

/** Open sockets with these names that nobody reads. */
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
