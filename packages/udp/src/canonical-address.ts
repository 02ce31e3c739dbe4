// Compares addresses that can be written in several ways.
import { isIPv6, SocketAddress } from 'node:net';

/** Returns the one canonical spelling of an address, without its zone (`%eth0`). */
export function canonicalAddress(address: string): string {
  const numeric = address.split('%', 1)[0] as string;
  return isIPv6(numeric) ? new SocketAddress({ address: numeric, family: 'ipv6' }).address : numeric;
}
