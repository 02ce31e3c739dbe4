// The entry point @rxsock/core/diagnostics: what happens to the sockets and servers of this process.

export { type Holder, traceHolds } from '../flow/holds.js';
export type * from '../observe/messages.js';
export { channel } from './channel.js';
export type { ChannelMessages, ChannelName, ObservedDatagramSocket } from './messages.js';
