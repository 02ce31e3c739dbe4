// Everything a user of @rxsock/unix imports. The operators are @rxsock/core's.
export type { AbstractAddress, PathAddress, UnixAddress } from './address.js';
export { type ConnectOptions, connect } from './connect.js';
export { type ListenOptions, listen } from './listen.js';
