// What names one end of a connection, whatever the transport.
import { isIPv6 } from 'node:net';

/** One end of an IP connection: a numeric address, a port and the address family. */
export interface InternetEndpoint {
  readonly address: string;
  readonly port: number;
  readonly family: 'IPv4' | 'IPv6';
}

/** One end of a UNIX socket connection. A client's own end usually has the empty path. */
export interface PathEndpoint {
  readonly path: string;
}

/** One end of a connection. */
export type Endpoint = InternetEndpoint | PathEndpoint;

/** Both ends of a connection, as far as they are known. */
export interface Endpoints {
  readonly local: Endpoint | undefined;
  readonly remote: Endpoint | undefined;
}

/** Renders an endpoint as people write it: `127.0.0.1:80`, `[::1]:80`, a path, or `@name` for an abstract one. */
export function formatEndpoint(endpoint: Endpoint): string {
  if ('path' in endpoint) return endpoint.path.replace(/^\0/, '@');
  return endpoint.family === 'IPv6' ? `[${endpoint.address}]:${endpoint.port}` : `${endpoint.address}:${endpoint.port}`;
}

/** The endpoint of an address and a port; `undefined` where one of them is not known. */
export function internetEndpoint(address?: string, port?: number): InternetEndpoint | undefined {
  if (address === undefined || port === undefined) return undefined;
  return { address, port, family: isIPv6(address) ? 'IPv6' : 'IPv4' };
}
