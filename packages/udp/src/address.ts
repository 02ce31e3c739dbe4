// Addresses as text.
import { isIPv6, SocketAddress } from 'node:net';

/** An address without its zone (`%eth0`). */
export function withoutZone(address: string): string {
  return address.split('%', 1)[0] as string;
}

/** The one way to write an address, without its zone. */
export function canonical(address: string): string {
  const numeric = withoutZone(address);
  return isIPv6(numeric) ? new SocketAddress({ address: numeric, family: 'ipv6' }).address : numeric;
}
