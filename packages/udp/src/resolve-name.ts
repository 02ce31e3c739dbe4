// Resolves the names of hosts.
import { lookup as systemLookup } from 'node:dns';
import { isIP, isIPv4, type LookupFunction } from 'node:net';
import { asError } from '@rxsock/core/internal';
import type { BindOptions } from './options.js';

/** Resolves a name to an address that the socket can send to. An address resolves to itself. */
export type ResolveName = (name: string) => Promise<string>;

/** Resolves one name. `family` 0 accepts any address. */
export async function lookUp(name: string, family: number, lookup: LookupFunction = systemLookup): Promise<string> {
  if (isIP(name)) return name;
  const address = await new Promise<unknown>((resolve, reject) => {
    lookup(name, { family }, (error, found) => (error ? reject(error) : resolve(found)));
  }).catch((thrown) => {
    throw asError(thrown);
  });
  if (typeof address === 'string' && isIP(address)) return address;
  throw Object.assign(new Error(`${name} has no address`), { code: 'ENOTFOUND' });
}

/**
 * Makes the resolver for the destinations of a socket. Requests for the same name share one lookup while it runs, so
 * that datagrams to one name keep their order.
 * @param host The host the socket was opened with, and `hostAddress` the address it resolved to: not looked up again.
 */
export function createResolver(
  { lookup, family = 0, ipv6Only }: BindOptions,
  host: string,
  hostAddress: string,
): ResolveName {
  // A socket at '::' also reaches IPv4 addresses, written as IPv4-mapped IPv6 addresses.
  const isDualStack = hostAddress === '::' && !ipv6Only;
  const wantedFamily = isDualStack ? family : isIP(hostAddress);
  const running = new Map<string, Promise<string>>();
  const resolveOnce = async (name: string) => {
    try {
      if (name === host) return hostAddress;
      const found = await lookUp(name, wantedFamily, lookup);
      return isDualStack && isIPv4(found) ? `::ffff:${found}` : found;
    } finally {
      running.delete(name);
    }
  };
  return (name) => {
    const result = running.get(name) ?? resolveOnce(name);
    running.set(name, result);
    return result;
  };
}
