// The connection to a proxy: where it is, and how a socket to it is made.
import { inspect } from 'node:util';
import { checkCopy } from '../base/copy.js';
import { formatAddress } from '../base/endpoint.js';
import { type ConnectOptions, checkConnectOptions, connect } from '../connect.js';
import { Socket } from '../socket.js';

/**
 * A proxy: the options of `connect()`, or a function that makes a socket to it, for a proxy behind TLS or on a UNIX
 * socket. With `via` among the options, the proxy is reached through another one.
 */
export type ProxyAddress = ConnectOptions | (() => Socket);

/** @param kind What the proxy is, for messages. */
export function proxyAt(address: ProxyAddress, kind: string): { readonly name: string; make(): Socket } {
  if (typeof address === 'function') return { name: `the ${kind} proxy`, make: () => checkSocket(address()) };
  checkConnectOptions(address);
  const { host = 'localhost', port, via } = address;
  const way = via ? ` through ${via.name}` : '';
  return { name: `the ${kind} proxy at ${formatAddress(host, port)}${way}`, make: () => connect(address) };
}

function checkSocket(socket: unknown): Socket {
  if (socket instanceof Socket) return socket;
  checkCopy(socket);
  throw new TypeError(`The function of a proxy must return a socket, not ${inspect(socket, { depth: 0 })}`);
}
