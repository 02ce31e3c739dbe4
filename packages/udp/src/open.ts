// Opens a datagram socket: resolves, creates, binds, tunes and, where it is to have a peer, connects.
import dgram from 'node:dgram';
import { lookup as systemLookup } from 'node:dns';
import { isIP, isIPv6, type LookupFunction } from 'node:net';
import type { DatagramOptions, Membership, Setup } from './options.js';

/** What happens while a socket opens. */
export interface Opening {
  /** It is there, and has to be closed whatever comes. */
  created(node: dgram.Socket, address: string): void;
  /** What it throws is a failure, too. */
  opened(node: dgram.Socket): void;
  /** @param address What the host was resolved to, as far as it was. */
  failed(error: NodeJS.ErrnoException, address?: string): void;
  /** Whether somebody still wants it. */
  wanted(): boolean;
}

/** Names are resolved here, before Node sees them: this is what it gets for a lookup, and it answers at once. */
const numeric: LookupFunction = (address, _options, done) => done(null, address, isIP(address));

export function open({ host, port, near, options }: Setup, opening: Opening): void {
  const { reuseAddr, ipv6Only, recvBufferSize, sendBufferSize } = options;
  const create = (address: string) => {
    const attempt = (act: () => void) => {
      try {
        act();
      } catch (error) {
        opening.failed(error as NodeJS.ErrnoException, address);
      }
    };
    attempt(() => {
      const type = isIPv6(address) ? 'udp6' : 'udp4';
      const lookup = numeric as NonNullable<dgram.SocketOptions['lookup']>;
      const node = dgram.createSocket({ type, reuseAddr, ipv6Only, recvBufferSize, sendBufferSize, lookup });
      opening.created(node, address);
      node.once('listening', () =>
        attempt(() => {
          tune(node, options);
          if (!near) return opening.opened(node);
          node.once('connect', () => attempt(() => opening.opened(node)));
          node.connect(port, address);
        }),
      );
      node.bind(near ? { ...near, exclusive: true } : { port, address });
    });
  };
  resolve(options.lookup, host, options.family ?? isIP(near?.address ?? ''), (error, address) => {
    if (!opening.wanted()) return;
    if (error) opening.failed(error);
    else create(address);
  });
}

/** Resolves a name to an address; one that is an address already, on the next tick. Answers once. */
export function resolve(
  lookup: LookupFunction = systemLookup,
  host: string,
  family: number,
  done: (error: NodeJS.ErrnoException | null, address: string) => void,
): void {
  if (isIP(host)) return process.nextTick(done, null, host);
  let answered = false;
  const answer: Parameters<LookupFunction>[2] = (error, found) => {
    if (answered) return;
    answered = true;
    const address = typeof found === 'string' ? found : found?.[0]?.address;
    if (!error && address && isIP(address)) return done(null, address);
    done(error ?? Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' }), '');
  };
  try {
    lookup(host, { family, all: false }, answer);
  } catch (error) {
    answer(error as NodeJS.ErrnoException, '');
  }
}

function tune(node: dgram.Socket, options: DatagramOptions): void {
  const { broadcast, multicastInterface, multicastTTL, multicastLoopback, memberships = [] } = options;
  if (broadcast) node.setBroadcast(true);
  if (multicastInterface !== undefined) node.setMulticastInterface(multicastInterface);
  if (multicastTTL !== undefined) node.setMulticastTTL(multicastTTL);
  if (multicastLoopback !== undefined) node.setMulticastLoopback(multicastLoopback);
  for (const membership of memberships) join(node, membership);
}

export function join(node: dgram.Socket, { group, source, interface: via }: Membership): void {
  if (source === undefined) node.addMembership(group, via);
  else node.addSourceSpecificMembership(source, group, via);
}

export function leave(node: dgram.Socket, { group, source, interface: via }: Membership): void {
  if (source === undefined) node.dropMembership(group, via);
  else node.dropSourceSpecificMembership(source, group, via);
}
