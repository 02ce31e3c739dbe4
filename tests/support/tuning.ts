// What Node tells the system of a TCP socket's options.
import { once } from 'node:events';
import net from 'node:net';
import { vi } from 'vitest';
import { rawServer } from './raw-peers.js';

/** A call without what it leaves to Node: from 24 on, sockets hand on an interval and a count that nobody set. */
const given = (args: unknown[]) => args.slice(0, args.findLastIndex((arg) => arg !== undefined) + 1);

/** What the system is told of TCP sockets while it is done. */
export async function told(act: () => Promise<unknown>) {
  const server = await rawServer();
  const peer = net.connect(server.port, '127.0.0.1');
  await once(peer, 'connect');
  const { _handle: handle } = peer as unknown as { readonly _handle: object };
  peer.destroy();
  const system = Object.getPrototypeOf(handle) as Record<'setKeepAlive' | 'setNoDelay', (...args: unknown[]) => number>;
  using noDelay = vi.spyOn(system, 'setNoDelay');
  using keepAlive = vi.spyOn(system, 'setKeepAlive');
  await act();
  return { noDelay: noDelay.mock.calls.map(given), keepAlive: keepAlive.mock.calls.map(given) };
}
