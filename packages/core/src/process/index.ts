// The entry point @rxsock/core/process: restarts without refused connections, and one instance of a program.

export {
  AlreadyRunningError,
  ForeignListenerError,
  HandOverError,
  type HandOverErrorCode,
  InheritedListenersError,
  type InheritedListenersErrorCode,
} from './errors.js';
export { type HandOverOptions, type HandOverServers, handOver } from './hand-over.js';
export { type InheritedListener, type InheritedListenersOptions, inheritedListeners } from './inherited-listeners.js';
export type { AcquiredEvent, InstanceEvent, LaunchEvent } from './instance-events.js';
export { type InstanceOptions, type SingleInstanceOptions, singleInstance } from './single-instance.js';
