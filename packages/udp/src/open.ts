// Opens Node's datagram sockets.
import dgram from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { callbackify } from 'node:util';
import type { Resolve } from './names.js';
import type { Setup } from './options.js';

/** @param address What the host was resolved to: it decides on the family. */
export function create(address: string, { options }: Setup, resolve: Resolve): dgram.Socket {
  const { reuseAddr, ipv6Only } = options;
  const lookup = callbackify((name: string, _family: unknown) => resolve(name)) as dgram.SocketOptions['lookup'];
  const type = isIPv6(address) ? 'udp6' : 'udp4';
  return dgram.createSocket({ type, reuseAddr, ipv6Only, lookup });
}

/** Binds, tunes and, where it is to have a peer, connects. Never settles if the socket is closed meanwhile. */
export async function open(node: dgram.Socket, address: string, { port, near, options }: Setup): Promise<void> {
  const { recvBufferSize, sendBufferSize, broadcast, multicastInterface, multicastTTL, multicastLoopback } = options;
  const listening = once(node, 'listening');
  node.bind(near ? { ...near, exclusive: true } : { port, address });
  await listening;
  // Not by createSocket(): where the system refuses these, Node would throw them out of the lookup, where nobody can catch.
  if (recvBufferSize !== undefined) node.setRecvBufferSize(recvBufferSize);
  if (sendBufferSize !== undefined) node.setSendBufferSize(sendBufferSize);
  if (broadcast) node.setBroadcast(true);
  if (multicastInterface !== undefined) node.setMulticastInterface(multicastInterface);
  if (multicastTTL !== undefined) node.setMulticastTTL(multicastTTL);
  if (multicastLoopback !== undefined) node.setMulticastLoopback(multicastLoopback);
  if (!near) return;
  node.connect(port, address);
  await once(node, 'connect');
}
