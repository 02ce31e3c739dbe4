// The public testing kit. It needs fast-check, an optional peer dependency.

// Codecs

export { chunkings, type DelimiterRichOptions, delimiterRichBytes } from '../fast-check/arbitraries.js';
export { type VerifyCodecOptions, verifyCodec } from '../fast-check/verify-codec.js';

// Connections

export { type FaultyProxy, type FaultyProxyOptions, faultyProxy } from './faulty-proxy.js';
export { type SocketPairOptions, socketPair } from './socket-pair.js';
