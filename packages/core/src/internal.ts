// What the sibling packages import to open other streams with the same engine. Not for applications: it may change in
// any release.

export { Deadline, LONGEST_TIMER } from './base/deadline.js';
export type { Endpoints } from './base/endpoint.js';
export { broadcast, type Registrable } from './base/registrable.js';
export { States } from './base/states.js';
export { connectOver, socketOver } from './connect.js';
export { type Birth, Connection } from './engine/connection.js';
export { checkLimit, resolveSocketOptions, type SocketLimits } from './engine/limits.js';
export { beneath } from './engine/owners.js';
export {
  type ErrorContext,
  type HandshakeHandlers,
  internetEndpoints,
  type Transport,
  type TransportNaming,
} from './engine/transport.js';
export { serverOver } from './listen.js';
export { Server, type ServerLimits, type ServerTransport } from './server/server.js';
export { connectionOf, Socket } from './socket.js';
