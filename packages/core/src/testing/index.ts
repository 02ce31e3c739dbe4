// The entry point @rxsock/core/testing: connections for tests. It needs no other package; what needs fast-check is in
// @rxsock/core/fast-check.

export { type FaultyProxy, type FaultyProxyOptions, faultyProxy } from './faulty-proxy.js';
export { type SocketPairOptions, socketPair } from './socket-pair.js';
