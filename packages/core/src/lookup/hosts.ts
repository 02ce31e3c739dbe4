// Host names to addresses and back, as the system resolves them.
import dns from 'node:dns';
import { isIP } from 'node:net';
import { inspect } from 'node:util';
import { ask, type LookupOptions } from './ask.js';
import { checkFamily, type HostAddress, withFamily } from './family.js';

/** Options of {@link resolveHost}. */
export interface ResolveHostOptions extends LookupOptions {
  /** The family of addresses wanted; 0 = either. @defaultValue 0 */
  readonly family?: 0 | 4 | 6;
}

/**
 * The addresses of a host, in the order in which the system would try them; there is at least one. An address stands for
 * itself.
 *
 * It does not block: the system's resolver works in a thread of Node's pool. That one cannot be stopped, so after a
 * `timeout` or an abort it goes on unheard. In a pipeline: `defer(() => resolveHost(name))`.
 *
 * @throws TypeError or RangeError at the call for a name or an option that means nothing. As a rejection:
 * {@link SocketError} with Node's code (`ENOTFOUND` where there is no such name, or no address of the family wanted;
 * `EAI_AGAIN` where no name server answers), {@link SocketTimeoutError}, {@link AbortedError}.
 * @see https://nodejs.org/api/dns.html#dnslookuphostname-options-callback
 *
 * @example
 * ```ts
 * import { resolveHost } from '@rxsock/core';
 *
 * for (const { address } of await resolveHost('localhost', { family: 4 })) console.log(address); // 127.0.0.1
 * ```
 */
export function resolveHost(name: string, options: ResolveHostOptions = {}): Promise<HostAddress[]> {
  const { family = 0 } = options;
  // The system would read a name with a NUL up to there.
  if (typeof name !== 'string' || name === '' || name.includes('\0'))
    throw new TypeError(`A host must be a name or an address, not ${inspect(name)}`);
  checkFamily(family);
  const what = family === 0 ? `the host ${inspect(name)}` : `an IPv${family} address of the host ${inspect(name)}`;
  return ask<HostAddress[]>(what, options, (answer) =>
    dns.lookup(name, { all: true, family }, (error, found = []) => {
      // Of the other family is an address that was given for a name.
      const wanted = found.filter((each) => family === 0 || each.family === family);
      const none = wanted.length === 0 ? Object.assign(new Error('there is none'), { code: 'ENOTFOUND' }) : null;
      const addresses = wanted.map(({ address }) => withFamily(address));
      answer(error ?? none, addresses);
    }),
  );
}

/**
 * The name of an address, as the system tells it, from its table of hosts or by DNS. Whoever owns the address decides on
 * the name: believe it only if `resolveHost` of it gives the address.
 *
 * It does not block, and cannot be stopped: see {@link resolveHost}.
 *
 * @throws TypeError at the call for what is no address. As a rejection: {@link SocketError} with Node's code (`ENOTFOUND`
 * where the address has no name), {@link SocketTimeoutError}, {@link AbortedError}.
 * @see https://nodejs.org/api/dns.html#dnslookupserviceaddress-port-callback
 *
 * @example
 * ```ts
 * import { reverseLookup } from '@rxsock/core';
 *
 * console.log(await reverseLookup('127.0.0.1')); // localhost
 * ```
 */
export function reverseLookup(address: string, options: LookupOptions = {}): Promise<string> {
  if (!isIP(address)) throw new TypeError(`An address must be one of IPv4 or IPv6, not ${inspect(address)}`);
  return ask<string>(`a name of ${address}`, options, (answer) => dns.lookupService(address, 0, answer));
}
