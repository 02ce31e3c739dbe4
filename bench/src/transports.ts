// Our servers and sockets for each transport.
import * as tcp from '@rxsock/core';
import * as tls from '@rxsock/tls';
import * as unix from '@rxsock/unix';
import { type Address, freePath, selfSigned, type TransportName } from './raw.js';

/** Makes a server that listens at a free address when it is subscribed to. */
export async function listenOver(transport: TransportName): Promise<tcp.Server<tcp.Endpoint>> {
  if (transport === 'unix') return unix.listen({ path: freePath() }) as tcp.Server<tcp.Endpoint>;
  if (transport === 'tls') return tls.listen({ ...(await selfSigned()) }) as tcp.Server<tcp.Endpoint>;
  return tcp.listen() as tcp.Server<tcp.Endpoint>;
}

/** Makes a socket that dials when it is used. */
export function connectOver(transport: TransportName, address: Address): tcp.Socket {
  if ('path' in address) return unix.connect(address);
  return transport === 'tls' ? tls.connect({ ...address, verify: false }) : tcp.connect(address);
}
