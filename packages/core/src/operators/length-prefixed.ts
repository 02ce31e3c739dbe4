// lengthPrefixed(): frames that begin with their length.
import type { OperatorFunction } from 'rxjs';
import { type LengthPrefixedOptions, lengthPrefixedCodec } from '../framing/length-prefixed.js';
import { type DecodeOptions, decode } from './decode.js';

/**
 * Takes frames apart that begin with their length, and emits the payloads. The same as
 * `decode(lengthPrefixedCodec(options))`.
 *
 * Half-close: an end inside a frame is an error. Backpressure: while held it stops inside a chunk, and leaving it gives
 * unused bytes back to the socket.
 *
 * @throws as notifications: {@link FrameTooLongError} before anything is buffered, {@link TruncatedFrameError},
 * {@link FrameError} for a length that cannot be.
 *
 * @example
 * ```ts
 * import { connect, data, lengthPrefixed } from '@rxsock/core';
 *
 * // DNS over TCP: two bytes of length before each message (RFC 1035, 4.2.2)
 * connect({ port: 53 }).pipe(data(), lengthPrefixed({ lengthField: 2 })).subscribe(console.log);
 * ```
 */
export function lengthPrefixed(options: LengthPrefixedOptions & DecodeOptions): OperatorFunction<Uint8Array, Buffer> {
  return decode(lengthPrefixedCodec(options), options);
}
