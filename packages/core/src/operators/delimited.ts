// delimited(): frames that end with a delimiter.
import type { OperatorFunction } from 'rxjs';
import type { Chunk } from '../framing/codec.js';
import { type DelimitedOptions, delimitedCodec } from '../framing/delimited.js';
import { type DecodeOptions, decode } from './decode.js';

/**
 * Splits bytes at a delimiter of any length, which is not part of the frames. The same as
 * `decode(delimitedCodec(delimiter, options))`.
 *
 * Half-close: an unterminated last frame is emitted, dropped or refused, as `trailing` says. Backpressure: while held it
 * stops inside a chunk, and leaving it gives unused bytes back to the socket.
 *
 * @throws as notifications: {@link FrameTooLongError}, {@link TruncatedFrameError} for `trailing: 'error'`. At the call:
 * RangeError for an empty delimiter.
 *
 * @example
 * ```ts
 * import { connect, data, delimited } from '@rxsock/core';
 *
 * connect({ port: 9000 }).pipe(data(), delimited('\0')).subscribe((frame) => console.log(frame.toString()));
 * ```
 */
export function delimited(
  delimiter: Chunk,
  options: DelimitedOptions & DecodeOptions = {},
): OperatorFunction<Uint8Array, Buffer> {
  return decode(delimitedCodec(delimiter, options), options);
}
