// Names and addresses.
import { lookup as systemLookup } from 'node:dns';
import { isIP, isIPv4, isIPv6, type LookupFunction, SocketAddress } from 'node:net';
import type { BindOptions } from './options.js';

/** Finds an address that a socket can send to. */
export type Resolve = (name: string) => Promise<string>;

/** The one way to write an address, without its zone (`%eth0`). */
export function canonical(address: string): string {
  const numeric = address.split('%', 1)[0] as string;
  return isIPv6(numeric) ? new SocketAddress({ address: numeric, family: 'ipv6' }).address : numeric;
}

export async function resolve(lookup: LookupFunction = systemLookup, name: string, family: number): Promise<string> {
  if (isIP(name)) return name;
  const address = await new Promise<unknown>((found, failed) => {
    lookup(name, { family }, (error, answer) => (error ? failed(error) : found(answer)));
  });
  if (typeof address === 'string' && isIP(address)) return address;
  throw Object.assign(new Error(`${name} has no address`), { code: 'ENOTFOUND' });
}

/**
 * Resolves the destinations of a socket whose `host` is at `address`. One lookup serves all who ask for a name meanwhile,
 * so that they are answered in their order.
 */
export function resolver({ lookup, family = 0, ipv6Only }: BindOptions, host: string, address: string): Resolve {
  const both = address === '::' && !ipv6Only; // it reaches IPv4, too, written as IPv6
  const wanted = both ? family : isIP(address);
  const asked = new Map<string, Promise<string>>();
  const ask = async (name: string) => {
    try {
      if (name === host) return address;
      const found = await resolve(lookup, name, wanted);
      return both && isIPv4(found) ? `::ffff:${found}` : found;
    } finally {
      asked.delete(name);
    }
  };
  return (name) => {
    const answer = asked.get(name) ?? ask(name);
    asked.set(name, answer);
    return answer;
  };
}
