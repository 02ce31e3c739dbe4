// What the sibling packages import to open other streams with the same engine. Not for applications: it may change in
// any release.
export { connectOver, socketOver } from './connect.js';
export type { Ends } from './endpoint.js';
export { type Birth, Connection } from './engine/connection.js';
export { Deadline, LONGEST_TIMER } from './engine/deadline.js';
export { checkLimit, resolveSocketOptions, type SocketLimits } from './engine/options.js';
export { beneath } from './engine/owners.js';
export { States } from './engine/states.js';
export { type Dialect, type Explained, type Handshake, internetEnds, type Transport } from './engine/transport.js';
export { serverOver } from './listen.js';
export { broadcast, type Member } from './member.js';
export { Server, type ServerLimits, type ServerTransport } from './server.js';
export { connectionOf, Socket } from './socket.js';
