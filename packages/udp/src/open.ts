// Creates and opens Node's datagram sockets.
import dgram, { type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { callbackify } from 'node:util';
import type { ResolveName } from './resolve-name.js';
import type { SocketSetup } from './setup.js';

/**
 * @param address The address that the host resolved to. It decides the family of the socket.
 * @param resolveName Resolves the destinations of datagrams.
 */
export function createNode(address: string, { options }: SocketSetup, resolveName: ResolveName): Socket {
  const { reuseAddr, reusePort, ipv6Only } = options;
  const lookup = callbackify((name: string, _family: unknown) => resolveName(name)) as dgram.SocketOptions['lookup'];
  const type = isIPv6(address) ? 'udp6' : 'udp4';
  return dgram.createSocket({ type, reuseAddr, reusePort, ipv6Only, lookup } as dgram.SocketOptions);
}

/**
 * Binds the socket, sets its options and, if it has a peer, connects it. Never settles if the socket is closed first.
 * @param address The address that the host resolved to.
 */
export async function openNode(node: Socket, address: string, setup: SocketSetup): Promise<void> {
  const { port, connectFrom, options } = setup;
  const { recvBufferSize, sendBufferSize, broadcast, multicastInterface, multicastTTL, multicastLoopback } = options;
  const listening = once(node, 'listening');
  node.bind(connectFrom ? { ...connectFrom, exclusive: true } : { port, address });
  await listening;
  // Not as options of createSocket(): if the system refuses a size, Node throws inside its lookup, where nobody can
  // catch.
  if (recvBufferSize !== undefined) node.setRecvBufferSize(recvBufferSize);
  if (sendBufferSize !== undefined) node.setSendBufferSize(sendBufferSize);
  if (broadcast) node.setBroadcast(true);
  if (multicastInterface !== undefined) node.setMulticastInterface(multicastInterface);
  if (multicastTTL !== undefined) node.setMulticastTTL(multicastTTL);
  if (multicastLoopback !== undefined) node.setMulticastLoopback(multicastLoopback);
  if (!connectFrom) return;
  node.connect(port, address);
  await once(node, 'connect');
}
