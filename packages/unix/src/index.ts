// Everything a user of @rxsock/unix imports. The operators are @rxsock/core's.
export type { AbstractAddress, InheritedAddress, PathAddress, UnixAddress } from './address.js';
export { type ConnectOptions, connect } from './connect.js';
export { type InheritedSocketOptions, type ListenOptions, listen, type NewSocketOptions } from './listen.js';
