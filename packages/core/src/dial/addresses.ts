// The addresses of a dial: what a lookup has found, in the order in which the addresses are tried.
import net from 'node:net';
import { inspect } from 'node:util';

/** An address family; 0 means either. */
export type Family = 0 | 4 | 6;

/** Returns the family of an address; 0 if it is not one. */
export function familyOf(address = ''): Family {
  return net.isIP(address) as Family;
}

/**
 * Returns the addresses of one family, or of both, each once, and the families in turn (RFC 8305, section 4).
 * @param answer What the lookup has found: a list, one address, or nothing.
 * @param localAddress The address to connect from, for the message.
 * @throws An error with the code of Node if no address is left.
 */
export function addressesToTry(answer: unknown, family: Family, localAddress?: string): string[] {
  const found = (Array.isArray(answer) ? answer : [answer]).map(addressIn).filter((address) => address !== '');
  const valid = [...new Set(found)].filter((address) => familyOf(address) !== 0);
  const usable = family === 0 ? valid : valid.filter((address) => familyOf(address) === family);
  if (usable.length > 0) return inTurn(usable);
  if (found.length > 0 && valid.length === 0)
    throw codedError('ERR_INVALID_IP_ADDRESS', `the lookup returned ${inspect(found[0])}, which is not an IP address`);
  const missing = family === 0 ? 'address' : `IPv${family} address`;
  const why = localAddress === undefined ? '' : `, and localAddress ${localAddress} can connect to no other`;
  throw codedError('ENOTFOUND', `the host has no ${missing}${why}`);
}

// Lookup functions are written by users, so the entries may be anything.
function addressIn(entry: unknown): string {
  const address = typeof entry === 'object' && entry !== null && 'address' in entry ? entry.address : entry;
  return typeof address === 'string' ? address : '';
}

/** The first family is that of the first address, which the system prefers. */
function inTurn(addresses: string[]): string[] {
  if (addresses.length < 2) return addresses;
  const family = familyOf(addresses[0]);
  const first = addresses.filter((address) => familyOf(address) === family);
  const second = addresses.filter((address) => familyOf(address) !== family);
  return first
    .flatMap((address, index) => [address, ...second.slice(index, index + 1)])
    .concat(second.slice(first.length));
}

export function codedError(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}
