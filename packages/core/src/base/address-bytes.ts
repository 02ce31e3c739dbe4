// The bytes of an IP address.
import { isIPv4, SocketAddress } from 'node:net';

/** Returns the 4 or 16 bytes of an IP address, as they are sent over the wire. */
export function addressBytes(address: string): Buffer {
  return Buffer.from(isIPv4(address) ? address.split('.').map(Number) : ipv6Bytes(address));
}

const MAPPED_IPV4 = Buffer.from('00000000000000000000ffff', 'hex');

/** Returns an IP address without its zone. An IPv4 address that is mapped to IPv6, `::ffff:192.0.2.1`, becomes IPv4. */
export function plainAddress(address: string): string {
  if (isIPv4(address)) return address;
  const bytes = addressBytes(address);
  const isMapped = bytes.subarray(0, MAPPED_IPV4.length).equals(MAPPED_IPV4);
  return isMapped ? bytes.subarray(MAPPED_IPV4.length).join('.') : address.replace(/%.*/, '');
}

function ipv6Bytes(address: string): number[] {
  // A URL spells every part in hexadecimal, also of ::ffff:1.2.3.4. It accepts no zone like that of fe80::1%eth0.
  const { hostname } = new URL(`http://[${address.replace(/%.*/, '')}]`);
  const [head = [], tail = []] = hostname
    .slice(1, -1)
    .split('::')
    .map((half) => half.split(':').filter(Boolean));
  const zeros = Array<string>(8 - head.length - tail.length).fill('0');
  return [...head, ...zeros, ...tail]
    .map((part) => Number.parseInt(part, 16))
    .flatMap((part) => [part >> 8, part & 255]);
}

/** Returns the address of 4 or 16 bytes. */
export function formatAddressBytes(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = bytes.toString('hex').match(/.{4}/g) ?? [];
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}
