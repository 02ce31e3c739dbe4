// What datagram sockets can be told, and what is refused at the call.
import type net from 'node:net';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { inspect } from 'node:util';
import type { SocketOptions } from '@rxsock/core';
import { resolveSocketOptions, type SocketLimits } from '@rxsock/core/internal';

/** A multicast group to listen to. */
export interface Membership {
  /** The address of the group: 224.0.0.0/4 or ff00::/8. */
  readonly group: string;
  /** Take only what comes from this address (source-specific multicast). */
  readonly source?: string;
  /** The address of the interface to join on (IPv6: `'::%eth0'`). @defaultValue the system's choice */
  readonly interface?: string;
}

/** Options of every datagram socket. All times are in milliseconds, all sizes in bytes. */
export interface DatagramOptions extends Pick<SocketOptions, 'keepOpen' | 'signal' | 'scheduler'> {
  /** Where `next()` begins to answer `false`. A datagram counts as 256 bytes at least. @defaultValue 65,536 */
  readonly highWaterMark?: number;
  /**
   * The most bytes that may wait to be sent before the datagram at hand, counted as for `highWaterMark`. Past it the
   * datagram is dropped with a `sendError`, and the socket goes on.
   * @defaultValue 67,108,864
   */
  readonly maxWriteBuffer?: number;
  /** How long closing waits for what is yet to be sent, in milliseconds; 0 = for ever. @defaultValue 5,000 */
  readonly lingerTimeout?: number;
  /** The family of addresses that names are resolved to; 0 = the first that comes. @defaultValue 0 */
  readonly family?: 0 | 4 | 6;
  /** Share the address and port with other sockets that do, as for multicast. @defaultValue `false` */
  readonly reuseAddr?: boolean;
  /** The receive buffer of the kernel (SO_RCVBUF), in bytes: what comes when it is full is lost. @defaultValue the system's */
  readonly recvBufferSize?: number;
  /** The send buffer of the kernel (SO_SNDBUF), in bytes. @defaultValue the system's */
  readonly sendBufferSize?: number;
  /** Allow broadcast addresses as destinations. @defaultValue `false` */
  readonly broadcast?: boolean;
  /** The multicast groups to join when it opens; later ones with `join()`. */
  readonly memberships?: readonly Membership[];
  /** The address of the interface that multicast leaves by (IPv6: `'::%eth0'`). @defaultValue the system's choice */
  readonly multicastInterface?: string;
  /** How many hops multicast may travel, 0 to 255. @defaultValue 1 */
  readonly multicastTTL?: number;
  /** Whether this host gets its own multicast, too. @defaultValue `true` */
  readonly multicastLoopback?: boolean;
  /** Datagrams from these addresses are dropped and counted. */
  readonly blockList?: BlockList;
  /** Resolves names, as `dns.lookup` does. @defaultValue `dns.lookup` */
  readonly lookup?: net.LookupFunction;
}

/** Options of {@link bind}. */
export interface BindOptions extends DatagramOptions {
  /** 0 takes any free port: see the `listening` event. @defaultValue 0 */
  readonly port?: number;
  /**
   * The address to receive at. A wider one than loopback is your choice: `'0.0.0.0'`, or `'::'` for both families.
   * Multicast comes to those, and to the address of the group itself. @defaultValue `'127.0.0.1'`
   */
  readonly host?: string;
  /** With the host `'::'`: do not take IPv4 as well. @defaultValue `false` */
  readonly ipv6Only?: boolean;
}

/** Options of {@link connect}. */
export interface ConnectOptions extends DatagramOptions {
  readonly port: number;
  /** A name or an address. @defaultValue `'127.0.0.1'` */
  readonly host?: string;
  /** The local address to send from. */
  readonly localAddress?: string;
  /** The local port to send from. */
  readonly localPort?: number;
}

/** What a socket is opened with. */
export interface Setup {
  /** Resolved first: the family of the socket is that of its address. */
  readonly host: string;
  readonly port: number;
  /** Where a connected socket is bound; without it the socket is bound to `host` and `port`. */
  readonly near?: { readonly address: string | undefined; readonly port: number };
  readonly options: BindOptions;
  readonly limits: SocketLimits;
}

/** Fills in the defaults of limits and refuses what means nothing. */
export function resolveOptions(options: DatagramOptions): SocketLimits {
  const { recvBufferSize = 1, sendBufferSize = 1, multicastTTL = 1, blockList } = options;
  checkWhole('recvBufferSize', recvBufferSize, 1, 2 ** 31 - 1);
  checkWhole('sendBufferSize', sendBufferSize, 1, 2 ** 31 - 1);
  checkWhole('multicastTTL', multicastTTL, 0, 255);
  if (blockList !== undefined && !(blockList instanceof BlockList)) {
    throw new TypeError(`blockList must be a net.BlockList, not ${inspect(blockList)}`);
  }
  return resolveSocketOptions(options);
}

const multicast = new BlockList();
multicast.addSubnet('224.0.0.0', 4);
multicast.addSubnet('ff00::', 8, 'ipv6');

export function checkGroup(group: string): void {
  if (isIP(group) && multicast.check(group, isIPv6(group) ? 'ipv6' : 'ipv4')) return;
  throw new RangeError(`group must be a multicast address, not ${inspect(group)}`);
}

export function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${inspect(value)}`);
}

/** A port is a number here: nothing is read while a datagram socket opens but the names of hosts. */
export function checkPort(name: string, port: unknown, least: 0 | 1): void {
  if (typeof port !== 'string') return checkWhole(name, port as number, least, 65_535);
  const remedy = `await servicePort(name, { protocol: 'udp' }) of @rxsock/core gives that of a service`;
  throw new RangeError(`${name} must be a whole number from ${least} to 65535, not ${inspect(port)}: ${remedy}`);
}
