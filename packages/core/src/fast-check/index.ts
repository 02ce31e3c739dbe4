// The entry point @rxsock/core/fast-check: arbitraries, and the checks of a codec's and of a transport's laws. It needs
// fast-check, an optional peer dependency.

export { chunkings, type DelimiterRichOptions, delimiterRichBytes } from './arbitraries.js';
export type { ConnectionUnderTest } from './model/connection-under-test.js';
export { type FarEnd, farEnd } from './model/far-end.js';
export { numberedBytes, type Sender } from './model/numbered-bytes.js';
export type { SocketCommand } from './model/steps.js';
export { type SocketModel, socketModel } from './socket-model.js';
export { type VerifyCodecOptions, verifyCodec } from './verify-codec.js';
export { type TransportUnderTest, type VerifyTransportOptions, verifyTransport } from './verify-transport.js';
