// What the sibling packages import to open other streams with the same engine. Not for applications: it may change in
// any release.

export { onAbortSignal } from './base/abort-signals.js';
export { ContextSubscriber } from './base/async-context.js';
export * from './base/check.js';
export { elapsedTime } from './base/clock.js';
export { Deadline, LONGEST_TIMER } from './base/deadline.js';
export { type Endpoints, formatAddress } from './base/endpoint.js';
export { handled } from './base/handled.js';
export { checkHost } from './base/host.js';
export { markLocalDecision } from './base/local-decision.js';
export { checkReusePortSupported } from './base/node-support.js';
export { Queue } from './base/queue.js';
export { broadcast, type Registrable } from './base/registrable.js';
export { States } from './base/states.js';
export { asError, reasonText } from './base/thrown.js';
export { NEXT_TURN, spendTime } from './base/turn-budget.js';
export { checkConnectOptions, connectOver, socketOver } from './connect.js';
export { Connection } from './engine/connection.js';
export type { ConnectionStart } from './engine/connection-machine.js';
export { resolveSocketOptions, type SocketLimits } from './engine/limits.js';
export { nodeInternals } from './engine/node-internals.js';
export { underlyingStream } from './engine/owners.js';
export {
  type ErrorContext,
  type HandshakeHandlers,
  internetEndpoints,
  type Transport,
  type TransportNaming,
} from './engine/transport.js';
export { serverOver } from './listen.js';
export { type ByteTap, type DatagramDestination, tapBytes } from './observe/byte-tap.js';
export {
  datagramOpens,
  publishDatagramClose,
  publishDatagramDrop,
  publishDatagramError,
  publishDatagramOpen,
  tapDatagramReceived,
  tapDatagramSent,
} from './observe/datagram-events.js';
export { idOf } from './observe/ids.js';
export { inspected, plural } from './observe/inspect.js';
export {
  liveDatagramSockets,
  livePools,
  liveReconnects,
  liveServers,
  liveSockets,
  type ObservedPool,
  type ObservedReconnect,
} from './observe/live.js';
export { plainProperties } from './observe/plain-properties.js';
export { Conversations } from './pcapng/conversations.js';
export { parseTcp } from './pcapng/parse-packet.js';
export { PcapngDecoder } from './pcapng/pcapng-decoder.js';
export { encodeProxyHeader } from './proxy-protocol/encode.js';
export { parseProxyHeader } from './proxy-protocol/parse.js';
export { resolveLocalProxyProtocol } from './proxy-protocol/trusted.js';
export type { Admission } from './server/admission.js';
export { failServer, listenOnDescriptor } from './server/descriptor.js';
export { Server, type ServerLimits, type ServerTransport } from './server/server.js';
export { resolveServerOptions } from './server/server-options.js';
export { controlOf, Socket } from './socket.js';
