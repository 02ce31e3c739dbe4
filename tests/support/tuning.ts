// The options of TCP sockets that Node passes to the system.
import { once } from 'node:events';
import net from 'node:net';
import { vi } from 'vitest';
import { rawServer } from './raw-peers.js';

/**
 * The arguments of a call without trailing undefined ones: from Node 24 on, sockets pass on an interval and a count
 * that nobody set.
 */
const withoutTrailingUndefined = (args: unknown[]) => args.slice(0, args.findLastIndex((arg) => arg !== undefined) + 1);

/** The calls with which Node tunes TCP sockets while `run` runs. */
export async function recordTuningCalls(run: () => Promise<unknown>) {
  const server = await rawServer();
  const peer = net.connect(server.port, '127.0.0.1');
  await once(peer, 'connect');
  const { _handle: handle } = peer as unknown as { readonly _handle: object };
  peer.destroy();
  const system = Object.getPrototypeOf(handle) as Record<'setKeepAlive' | 'setNoDelay', (...args: unknown[]) => number>;
  using noDelay = vi.spyOn(system, 'setNoDelay');
  using keepAlive = vi.spyOn(system, 'setKeepAlive');
  await run();
  return {
    noDelay: noDelay.mock.calls.map(withoutTrailingUndefined),
    keepAlive: keepAlive.mock.calls.map(withoutTrailingUndefined),
  };
}
