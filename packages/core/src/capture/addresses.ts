// The addresses that packets are written with.
import { isIP } from 'node:net';
import { plainAddress } from '../base/address-bytes.js';
import { type Endpoint, formatEndpoint, type InternetEndpoint, internetEndpoint } from '../base/endpoint.js';
import type { DatagramDestination } from '../observe/byte-tap.js';

/** Two addresses that are reserved for documentation (RFC 5737): for ends that have none, such as UNIX sockets. */
const CLIENT = '192.0.2.1';
const SERVER = '192.0.2.2';
const SERVER_PORT = 1;
const FIRST_CLIENT_PORT = 1024;
const CLIENT_PORTS = 65_536 - FIRST_CLIENT_PORT;

/** The two ends of a connection in its packets. */
export interface PacketEnds {
  readonly client: InternetEndpoint;
  readonly server: InternetEndpoint;
  /** Whether these are the addresses of the connection, and not made up. */
  readonly areReal: boolean;
}

/**
 * Returns the ends for the packets of a connection. What has no addresses gets a port of its own.
 * @param index A number for the connection.
 */
export function packetEnds(client: Endpoint | undefined, server: Endpoint | undefined, index: number): PacketEnds {
  if (isInternet(client) && isInternet(server)) return { client: plain(client), server: plain(server), areReal: true };
  return {
    client: internetEndpoint(CLIENT, FIRST_CLIENT_PORT + (index % CLIENT_PORTS)) as InternetEndpoint,
    server: internetEndpoint(SERVER, SERVER_PORT) as InternetEndpoint,
    areReal: false,
  };
}

/** Returns the peer of a datagram. The address may be a name, which no packet has room for. */
export function datagramPeer({ address, port }: DatagramDestination): InternetEndpoint {
  return internetEndpoint(isIP(address) ? address : SERVER, port) as InternetEndpoint;
}

/** Describes a connection: `tls: 127.0.0.1:5000 to 127.0.0.1:443`, `unix: to /run/app.sock`. */
export function describeConnection(type: string, client: Endpoint | undefined, server: Endpoint | undefined): string {
  const [from, to] = [client, server].map((end) => (end ? formatEndpoint(end) : ''));
  return `${type}:${from ? ` ${from}` : ''}${to ? ` to ${to}` : ''}`;
}

function isInternet(end: Endpoint | undefined): end is InternetEndpoint {
  // A stream of the user may say anything.
  return end !== undefined && 'port' in end && isIP(end.address) > 0 && end.port >= 0 && end.port < 65_536;
}

/** Without a zone; an IPv4 address as such. The two ends of a connection may spell them in different ways. */
function plain({ address, port }: InternetEndpoint): InternetEndpoint {
  return internetEndpoint(plainAddress(address), port) as InternetEndpoint;
}
