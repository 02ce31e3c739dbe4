// The public API of @rxsock/udp.
export { bind } from './bind.js';
export type { DatagramSocketState } from './binding.js';
export { connect } from './connect.js';
export type * from './events.js';
export { type MapMessagesOptions, mapMessages } from './map-messages.js';
export { messages } from './messages.js';
export type { BindOptions, ConnectOptions, DatagramOptions, Membership } from './options.js';
export { type RequestOptions, request } from './request.js';
export { DatagramSocket } from './socket.js';
