// The two ends of a connection, over any transport.
import { isIPv6 } from 'node:net';

/** One end of an IP connection: a numeric address, a port and the address family. */
export interface InternetEndpoint {
  readonly address: string;
  readonly port: number;
  readonly family: 'IPv4' | 'IPv6';
}

/** One end of a UNIX socket connection. The path of a client's own end is usually empty. */
export interface PathEndpoint {
  readonly path: string;
}

/** One end of a connection. */
export type Endpoint = InternetEndpoint | PathEndpoint;

/** Both ends of a connection. An end that is not known is `undefined`. */
export interface Endpoints {
  readonly local: Endpoint | undefined;
  readonly remote: Endpoint | undefined;
}

/** Formats an endpoint: `127.0.0.1:80`, `[::1]:80`, a path, or `@name` for an abstract name. */
export function formatEndpoint(endpoint: Endpoint): string {
  if ('path' in endpoint) return endpoint.path.replace(/^\0/, '@');
  return formatAddress(endpoint.address, endpoint.port);
}

/** Formats a host and a port, with an IPv6 address in brackets. */
export function formatAddress(host: string, port: number | string): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Returns the endpoint of an address and a port; `undefined` if one of them is not known.
 * @param family What Node calls the family. Default: as the address looks.
 */
export function internetEndpoint(address?: string, port?: number, family?: string): InternetEndpoint | undefined {
  if (address === undefined || port === undefined) return undefined;
  const isOfIPv6 = family === undefined ? isIPv6(address) : family === 'IPv6';
  return { address, port, family: isOfIPv6 ? 'IPv6' : 'IPv4' };
}
