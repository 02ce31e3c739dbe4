// The entry point @rxsock/core/registry: sockets by name, groups of them, and snapshots.

export type { CloseOptions, Registrable } from '../base/registrable.js';
export { type RegistrableSnapshot, type Snapshot, type SocketSnapshot, snapshot } from './snapshot.js';
export { SocketGroup, type SocketGroupEvent } from './socket-group.js';
export { SocketRegistry } from './socket-registry.js';
