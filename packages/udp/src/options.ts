// The options of datagram sockets.
import type { BlockList, LookupFunction } from 'node:net';
import type { SocketOptions } from '@rxsock/core';

/** A multicast group to join. */
export interface Membership {
  /** The address of the group, in 224.0.0.0/4 or ff00::/8. */
  readonly group: string;
  /** Receive only datagrams from this address (source-specific multicast). @defaultValue any sender */
  readonly source?: string | undefined;
  /** The address of the network interface to join on, for IPv6 `'::%eth0'`. @defaultValue the system's choice */
  readonly interface?: string | undefined;
}

/** Options of every datagram socket. All times are in milliseconds, all sizes in bytes. */
export interface DatagramOptions extends Pick<SocketOptions, 'keepOpen' | 'signal' | 'scheduler'> {
  /**
   * `next()` returns `false` when this many bytes or more wait to be sent. A datagram counts as at least 768 bytes.
   * @defaultValue 65,536
   */
  readonly highWaterMark?: number | undefined;
  /**
   * The most bytes that may wait to be sent, counted as for `highWaterMark`. While more wait, each further datagram is
   * dropped with a `sendError`. The socket stays open.
   * @defaultValue 67,108,864
   */
  readonly maxWriteBuffer?: number | undefined;
  /**
   * How long `complete()` and `close()` wait until all datagrams are sent, in milliseconds. Then the rest is dropped. 0
   * waits without limit.
   * @defaultValue 5,000
   */
  readonly lingerTimeout?: number | undefined;
  /** The address family that names resolve to; 0 takes the first address of either. @defaultValue 0 */
  readonly family?: 0 | 4 | 6 | undefined;
  /** Share the address and the port with other sockets that also set this, as for multicast. @defaultValue `false` */
  readonly reuseAddr?: boolean | undefined;
  /**
   * The size of the kernel's receive buffer (SO_RCVBUF), in bytes. Datagrams that arrive while it is full are lost.
   * @defaultValue the system's
   */
  readonly recvBufferSize?: number | undefined;
  /** The size of the kernel's send buffer (SO_SNDBUF), in bytes. @defaultValue the system's */
  readonly sendBufferSize?: number | undefined;
  /** Allow broadcast addresses as destinations. @defaultValue `false` */
  readonly broadcast?: boolean | undefined;
  /** The multicast groups to join when the socket opens. `join()` joins more. @defaultValue none */
  readonly memberships?: readonly Membership[] | undefined;
  /**
   * The address of the network interface that sends multicast, for IPv6 `'::%eth0'`.
   * @defaultValue the system's choice
   */
  readonly multicastInterface?: string | undefined;
  /** How many hops multicast may travel, 0 to 255. 1 stays in the local network. @defaultValue 1 */
  readonly multicastTTL?: number | undefined;
  /** Whether sockets on this host also receive what this socket sends to a group. @defaultValue `true` */
  readonly multicastLoopback?: boolean | undefined;
  /** Datagrams from these addresses are dropped and counted as `messagesBlocked`. @defaultValue none */
  readonly blockList?: BlockList | undefined;
  /** Resolves names, as `dns.lookup` does. @defaultValue `dns.lookup` */
  readonly lookup?: LookupFunction | undefined;
}

/** Options of {@link bind}. */
export interface BindOptions extends DatagramOptions {
  /** The port to receive at. 0 takes any free port: the `listening` event has its number. @defaultValue 0 */
  readonly port?: number | undefined;
  /**
   * The address, or a name that resolves to it, to receive at: `'0.0.0.0'` for all IPv4 addresses of this host, `'::'`
   * for those of both families. Multicast reaches these two, and a socket bound to the address of the group. An IPv6
   * address may be in brackets, as in a URL.
   * @defaultValue `'127.0.0.1'`
   */
  readonly host?: string | undefined;
  /** With the host `'::'`: receive IPv6 only. @defaultValue `false` */
  readonly ipv6Only?: boolean | undefined;
  /**
   * Whether other sockets that set this, of this or of another process of the same user, may bind to the same address
   * and port. The system spreads the datagrams over them (SO_REUSEPORT): those of one sender go to one socket. Needs
   * Node 22.12 and, for example, Linux: macOS and Windows cannot spread.
   * @defaultValue `false`
   */
  readonly reusePort?: boolean | undefined;
}

/** Options of {@link connect}. */
export interface ConnectOptions extends DatagramOptions {
  /** The port of the peer. */
  readonly port: number;
  /** The name or the address of the peer. An IPv6 address may be in brackets. @defaultValue `'127.0.0.1'` */
  readonly host?: string | undefined;
  /** The local address to send from and to receive at. @defaultValue the system's choice */
  readonly localAddress?: string | undefined;
  /** The local port to send from and to receive at. 0 takes any free port. @defaultValue 0 */
  readonly localPort?: number | undefined;
}
