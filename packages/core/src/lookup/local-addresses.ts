// localAddresses(): the addresses of this machine.
import { networkInterfaces } from 'node:os';
import { checkFamily, type HostAddress } from './family.js';

/** Options of {@link localAddresses}. */
export interface LocalAddressesOptions {
  /** The family of addresses wanted; 0 = either. @defaultValue 0 */
  readonly family?: 0 | 4 | 6;
  /** `true`: only those of the loopback; `false`: only the others. @defaultValue both */
  readonly internal?: boolean;
}

/** An address of this machine. */
export interface LocalAddress extends HostAddress {
  /** The name of the network interface. An IPv6 address of one link (`fe80:…`) is only one with it: `fe80::1%eth0`. */
  readonly interface: string;
  /** Whether it is of the loopback, so that no other machine can reach it. */
  readonly internal: boolean;
}

/**
 * The addresses of this machine's network interfaces that are up, at this moment.
 *
 * @throws RangeError for a family that there is not.
 * @see https://nodejs.org/api/os.html#osnetworkinterfaces
 *
 * @example
 * ```ts
 * import { localAddresses } from '@rxsock/core';
 *
 * for (const { address } of localAddresses({ family: 4, internal: false })) console.log(`reach me at ${address}`);
 * ```
 */
export function localAddresses(options: LocalAddressesOptions = {}): LocalAddress[] {
  const { family: wanted = 0, internal: loopback } = options;
  checkFamily(wanted);
  const addresses: LocalAddress[] = [];
  for (const [name, infos = []] of Object.entries(networkInterfaces())) {
    for (const { address, family, internal } of infos) addresses.push({ address, family, interface: name, internal });
  }
  return addresses.filter(
    ({ family, internal }) =>
      (wanted === 0 || family === `IPv${wanted}`) && (loopback === undefined || internal === loopback),
  );
}
