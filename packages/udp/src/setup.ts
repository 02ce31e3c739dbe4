// What a datagram socket is opened with, and the checks of its options.
import { BlockList, isIP, isIPv6 } from 'node:net';
import {
  checkAddress,
  checkBoolean,
  checkFamily,
  checkFunction,
  checkInteger,
  checkObject,
  checkPort,
  rangeError,
  resolveSocketOptions,
  type SocketLimits,
  typeError,
} from '@rxsock/core/internal';
import type { BindOptions, DatagramOptions, Membership } from './options.js';

/** What a datagram socket is opened with: the checked options of `bind()` or `connect()`. */
export interface SocketSetup {
  /** The host to bind to or, for a connected socket, the peer. Its address decides the family of the socket. */
  readonly host: string;
  readonly port: number;
  /** The local address and port of a connected socket. `undefined` for a socket that has no peer. */
  readonly connectFrom?: { readonly address: string | undefined; readonly port: number };
  readonly options: BindOptions;
  readonly limits: SocketLimits;
}

const LARGEST_BUFFER = 2 ** 31 - 1;

/** Checks the options that `bind()` and `connect()` share, and returns the limits with their defaults. */
export function resolveOptions(options: DatagramOptions): SocketLimits {
  const { lingerTimeout = 5_000 } = options;
  const limits = resolveSocketOptions({ ...options, lingerTimeout });
  const { family = 0, reuseAddr = false, broadcast = false, multicastLoopback = true, multicastTTL = 1 } = options;
  const { recvBufferSize = 1, sendBufferSize = 1, memberships = [], multicastInterface, blockList, lookup } = options;
  checkFamily('family', family);
  for (const [name, value] of Object.entries({ reuseAddr, broadcast, multicastLoopback })) checkBoolean(name, value);
  checkInteger('recvBufferSize', recvBufferSize, 1, LARGEST_BUFFER);
  checkInteger('sendBufferSize', sendBufferSize, 1, LARGEST_BUFFER);
  checkInteger('multicastTTL', multicastTTL, 0, 255);
  if (!Array.isArray(memberships)) throw typeError('memberships', 'an array of groups', memberships);
  memberships.forEach((membership, index) => {
    checkMembership(membership, `memberships[${index}]`);
  });
  if (multicastInterface !== undefined) checkAddress('multicastInterface', multicastInterface);
  if (blockList !== undefined && !(blockList instanceof BlockList))
    throw typeError('blockList', 'a net.BlockList', blockList);
  if (lookup !== undefined) checkFunction('lookup', lookup, 'a function like dns.lookup');
  return limits;
}

/** Checks one group to join or to leave. */
export function checkMembership(membership: Membership, name = 'The membership'): void {
  checkObject(name, membership, "an object, as in { group: '239.1.2.3' }");
  const { group, source, interface: via } = membership;
  checkGroup(group);
  if (source !== undefined) checkAddress('source', source);
  if (via !== undefined) checkAddress('interface', via);
}

const multicast = new BlockList();
multicast.addSubnet('224.0.0.0', 4);
multicast.addSubnet('ff00::', 8, 'ipv6');

function checkGroup(group: unknown): void {
  const expected = 'a multicast address';
  if (typeof group !== 'string' || !isIP(group)) throw typeError('group', expected, group);
  if (multicast.check(group, isIPv6(group) ? 'ipv6' : 'ipv4')) return;
  throw rangeError('group', expected, group);
}

/** Checks a port. It must be a number: a datagram socket does not look up the names of services when it opens. */
export function checkDatagramPort(name: string, port: unknown, least: 0 | 1): void {
  if (typeof port !== 'string') return checkPort(name, port, least);
  const { message } = typeError(name, `an integer from ${least} to 65535`, port);
  throw new TypeError(
    `${message}: to look up a service, await servicePort(name, { protocol: 'udp' }) of @rxsock/core/lookup`,
  );
}
