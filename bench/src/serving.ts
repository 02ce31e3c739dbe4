// Contenders that are servers: the peer dials them, and counts.
import type net from 'node:net';
import { type Endpoint, type HandlerResult, type Socket, serve } from '@rxsock/core';
import type { Peer } from './peer.js';
import { type Address, listenRaw, type TransportName } from './raw.js';
import { type Contender, expectAll, type Measurement } from './scenario.js';
import { listenOver } from './transports.js';

/** A raw server. @param what What the peer counts. */
export function rawServer(
  what: string,
  onConnection: (socket: net.Socket) => void,
  transport: TransportName = 'tcp',
): Contender {
  return async ({ peer, amount }) => {
    const { server, address } = await listenRaw(transport, onConnection, { allowHalfOpen: true });
    peer.dial(address);
    const result = await resultOf(peer, amount, what);
    server.close();
    return result;
  };
}

/** One of our servers. @param what What the peer counts. */
export function ourServer(
  what: string,
  handler: (socket: Socket) => HandlerResult,
  transport: TransportName = 'tcp',
): Contender {
  return async ({ peer, amount }) => {
    const server = await listenOver(transport);
    server.pipe(serve(handler)).subscribe((event) => {
      if (event.type === 'listening') peer.dial(addressOf(event.address));
      if (event.type === 'connectionError') throw event.error;
    });
    const result = await resultOf(peer, amount, what);
    await server.close();
    return result;
  };
}

/** Where a server of ours listens. */
export function addressOf(endpoint: Endpoint): Address {
  return 'path' in endpoint ? endpoint : { host: '127.0.0.1', port: endpoint.port };
}

/** Waits until the peer has counted everything. */
export async function resultOf(peer: Peer, amount: number, what: string): Promise<Partial<Measurement>> {
  const { count, p99 } = await peer.result();
  expectAll(count, amount, what);
  return p99 === undefined ? {} : { p99 };
}
