// resolveHost() and reverseLookup(): host names to addresses and back, with the system's resolver.
import dns from 'node:dns';
import { isIP } from 'node:net';
import { inspect } from 'node:util';
import { checkFamily, checkOptions, typeError } from '../base/check.js';
import { checkHost } from '../base/host.js';
import { type HostAddress, withFamily } from './family.js';
import { type LookupOptions, queryResolver } from './resolver.js';

/** Options of {@link resolveHost}. */
export interface ResolveHostOptions extends LookupOptions {
  /** The family of the addresses: 4, 6, or 0 for either. @defaultValue 0 */
  readonly family?: 0 | 4 | 6 | undefined;
}

/**
 * Resolves a host name to its addresses, in the order in which the system would try them. An address resolves to
 * itself.
 *
 * The event loop is not blocked: the system's resolver runs in a thread of Node's pool. Node cannot stop that thread,
 * so after a timeout or an abort it continues, and its result is ignored. In a pipeline, write
 * `defer(() => resolveHost(name))`.
 *
 * @param name A host name or an address.
 * @returns Resolves to at least one address, and to each of them once.
 * @throws At the call: TypeError if the name is not a string, is empty or contains a NUL; TypeError or RangeError for
 * an option with an invalid value.
 * @throws As a rejection: {@link SocketError} with Node's code: `ENOTFOUND` if there is no such name or no address of
 * the family, `EAI_AGAIN` if no name server answers; {@link SocketTimeoutError} (`ETIMEDOUT`) after `timeout`;
 * {@link AbortedError} (`ERR_SOCKET_ABORTED`) if `signal` aborts.
 * @see https://nodejs.org/api/dns.html#dnslookuphostname-options-callback
 *
 * @example
 * ```ts
 * import { resolveHost } from '@rxsock/core/lookup';
 *
 * for (const { address } of await resolveHost('localhost', { family: 4 })) console.log(address); // 127.0.0.1
 * ```
 */
export function resolveHost(name: string, options: ResolveHostOptions = {}): Promise<HostAddress[]> {
  checkOptions(options, '{ family: 4 }');
  const { family = 0 } = options;
  const host = checkHost('name', name);
  checkFamily('family', family);
  const wanted = family === 0 ? `the host ${inspect(name)}` : `an IPv${family} address of the host ${inspect(name)}`;
  return queryResolver<HostAddress[]>(wanted, options, (callback) =>
    dns.lookup(host, { all: true, family }, (error, found = []) => {
      // Node returns an address in place of a name as it is, even if it is of the other family.
      const matching = found.filter((each) => family === 0 || each.family === family);
      // The C library reads the line `::1 localhost` of the hosts file as a line for 127.0.0.1 too.
      const addresses = [...new Set(matching.map(({ address }) => address))].map(withFamily);
      if (error || addresses.length > 0) callback(error, addresses);
      else callback(Object.assign(new Error('it has no such address'), { code: 'ENOTFOUND' }), []);
    }),
  );
}

/**
 * Resolves an address to a host name, from the system's hosts file or by DNS. The owner of the address chooses the
 * name, and may lie: trust it only if {@link resolveHost} resolves the name to the same address.
 *
 * The event loop is not blocked, and the query cannot be stopped: see {@link resolveHost}.
 *
 * @param address An IPv4 or IPv6 address.
 * @returns Resolves to the name.
 * @throws At the call: TypeError if `address` is not an IP address; TypeError or RangeError for an option with an
 * invalid value.
 * @throws As a rejection: {@link SocketError} with Node's code, for example `ENOTFOUND` if the address has no name;
 * {@link SocketTimeoutError} (`ETIMEDOUT`) after `timeout`; {@link AbortedError} (`ERR_SOCKET_ABORTED`) if `signal`
 * aborts.
 * @see https://nodejs.org/api/dns.html#dnslookupserviceaddress-port-callback
 *
 * @example
 * ```ts
 * import { reverseLookup } from '@rxsock/core/lookup';
 *
 * console.log(await reverseLookup('127.0.0.1')); // localhost
 * ```
 */
export function reverseLookup(address: string, options: LookupOptions = {}): Promise<string> {
  if (!isIP(address)) throw typeError('address', 'an IPv4 or IPv6 address', address);
  return queryResolver<string>(`a host name for ${address}`, options, (callback) =>
    dns.lookupService(address, 0, callback),
  );
}
