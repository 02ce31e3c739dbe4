// The public API of @rxsock/unix. The operators are in @rxsock/core.
export type { AbstractAddress, InheritedAddress, PathAddress, UnixAddress } from './address.js';
export { type ConnectOptions, connect } from './connect.js';
export { listen } from './listen.js';
export type {
  InheritedSocketOptions,
  ListenOptions,
  LocalProxyProtocolOptions,
  NewSocketOptions,
} from './listen-options.js';
