// The entry point @rxsock/core/lookup: host names, services, ports and local addresses.

export type { HostAddress } from './family.js';
export { type ResolveHostOptions, resolveHost, reverseLookup } from './hosts.js';
export { type LocalAddress, type LocalAddressesOptions, localAddresses } from './local-addresses.js';
export { isPortFree, type PortFreeOptions } from './port-free.js';
export type { LookupOptions } from './resolver.js';
export { type ServicePortOptions, servicePort } from './service-port.js';
