// The entry point @rxsock/core/testing: connections for tests. It does not need fast-check; @rxsock/core/fast-check
// does.

export type { NetworkFaults, ResetPeerOptions, SlicerOptions, TimeoutFaultOptions } from './faults.js';
export {
  type FaultyPathProxy,
  type FaultyPathProxyOptions,
  type FaultyProxy,
  type FaultyProxyOptions,
  faultyProxy,
} from './faulty-proxy.js';
export type { RecordedConnection, RecordedEnd } from './recorded-connection.js';
export {
  type RecordingClientOptions,
  type RecordingPeer,
  type RecordingPeerOptions,
  recordingClient,
  recordingPeer,
} from './recording-peer.js';
export { type Replay, replay } from './replay.js';
export type { ReplayOptions, SeedOptions } from './replay-options.js';
export { type SocketPairOptions, socketPair } from './socket-pair.js';
export { VirtualClock } from './virtual-clock.js';
