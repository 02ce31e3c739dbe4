// The two families of addresses.
import { isIPv6 } from 'node:net';
import { inspect } from 'node:util';
import type { InternetEndpoint } from '../base/endpoint.js';

/** An address and its family. */
export type HostAddress = Pick<InternetEndpoint, 'address' | 'family'>;

/** An address with its family. */
export function withFamily(address: string): HostAddress {
  return { address, family: isIPv6(address) ? 'IPv6' : 'IPv4' };
}

/** Throws a `RangeError` unless this is a family, or 0 for both. */
export function checkFamily(family: number): void {
  if (family !== 0 && family !== 4 && family !== 6)
    throw new RangeError(`family must be 0, 4 or 6, not ${inspect(family)}`);
}
