// The public testing kit: everything here needs fast-check, an optional peer dependency.
export { chunkings, type DelimiterRichOptions, delimiterRichBytes } from './arbitraries.js';
export { type VerifyCodecOptions, verifyCodec } from './verify-codec.js';
