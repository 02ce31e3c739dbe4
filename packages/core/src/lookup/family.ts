// Addresses and their families, IPv4 and IPv6.
import { isIPv6 } from 'node:net';
import type { InternetEndpoint } from '../base/endpoint.js';

/** An address and its family. */
export type HostAddress = Pick<InternetEndpoint, 'address' | 'family'>;

/** Returns an address together with its family. */
export function withFamily(address: string): HostAddress {
  return { address, family: isIPv6(address) ? 'IPv6' : 'IPv4' };
}
