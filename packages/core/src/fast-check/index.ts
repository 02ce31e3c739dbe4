// The entry point @rxsock/core/fast-check: arbitraries, and the check of a codec's laws. It needs fast-check, an
// optional peer dependency.

export { chunkings, type DelimiterRichOptions, delimiterRichBytes } from './arbitraries.js';
export { type VerifyCodecOptions, verifyCodec } from './verify-codec.js';
