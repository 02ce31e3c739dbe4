// localAddresses(): the addresses of this machine.

import { networkInterfaces } from 'node:os';
import { checkBoolean, checkFamily, checkOptions } from '../base/check.js';
import type { HostAddress } from './family.js';

/** Options of {@link localAddresses}. */
export interface LocalAddressesOptions {
  /** The family of the addresses: 4, 6, or 0 for either. @defaultValue 0 */
  readonly family?: 0 | 4 | 6 | undefined;
  /** `true`: only loopback addresses. `false`: only addresses that are not loopback. @defaultValue both kinds */
  readonly internal?: boolean | undefined;
}

/** An address of this machine. */
export interface LocalAddress extends HostAddress {
  /** The name of the network interface. A link-local IPv6 address (`fe80:…`) needs it: `fe80::1%eth0`. */
  readonly interface: string;
  /** Whether it is a loopback address, which other machines cannot reach. */
  readonly internal: boolean;
}

/**
 * Returns the addresses of the network interfaces of this machine that are up at this moment.
 *
 * @throws At the call: TypeError or RangeError for an option with an invalid value.
 * @see https://nodejs.org/api/os.html#osnetworkinterfaces
 *
 * @example
 * ```ts
 * import { localAddresses } from '@rxsock/core/lookup';
 *
 * for (const { address } of localAddresses({ family: 4, internal: false })) console.log(`reach me at ${address}`);
 * ```
 */
export function localAddresses(options: LocalAddressesOptions = {}): LocalAddress[] {
  checkOptions(options, '{ family: 4 }');
  const { family: wantedFamily = 0, internal: wantedInternal } = options;
  checkFamily('family', wantedFamily);
  if (wantedInternal !== undefined) checkBoolean('internal', wantedInternal);
  const addresses: LocalAddress[] = [];
  for (const [name, infos = []] of Object.entries(networkInterfaces())) {
    for (const { address, family, internal } of infos) addresses.push({ address, family, interface: name, internal });
  }
  return addresses.filter(
    ({ family, internal }) =>
      (wantedFamily === 0 || family === `IPv${wantedFamily}`) &&
      (wantedInternal === undefined || internal === wantedInternal),
  );
}
