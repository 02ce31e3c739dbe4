// delimited(): splits bytes at a delimiter.
import type { OperatorFunction } from 'rxjs';
import type { Chunk } from '../base/bytes.js';
import { type DelimitedOptions, delimitedCodec } from '../framing/delimited.js';
import { type DecodeOptions, decodeAs } from './decode.js';

/**
 * Splits bytes at a delimiter, which is not part of the frames. The same as
 * `decode(delimitedCodec(delimiter, options))`.
 *
 * **Half-close**: at the peer's FIN an unterminated last frame is emitted, and the stream completes. With
 * `trailing: 'drop'` that frame is dropped. With `trailing: 'error'` the stream fails with {@link TruncatedFrameError}
 * instead.
 *
 * **Backpressure**: while a consumer holds, the operator stops, even in the middle of a chunk, and holds its source. If
 * the consumer unsubscribes in the middle of a chunk of `socket.pipe(data())`, the unused bytes go back to the socket
 * and the next reader receives them.
 *
 * @param delimiter One byte or more. A string is encoded as UTF-8.
 * @param options How long frames may be, in bytes ({@link DelimitedOptions}); how long one may take, in milliseconds
 * ({@link DecodeOptions}).
 * @returns An operator that emits the bytes before each delimiter, and completes with its source.
 * @throws At the call: {@link TypeError} for an empty delimiter, and for a delimiter or an option of the wrong type or
 * with an unknown value; {@link RangeError} for a `maxLength` that is not a positive integer or Infinity, or a
 * `frameTimeout` that is not 0 or more.
 * @throws As a notification: {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`) for a frame over `maxLength`, with
 * `oversize: 'error'`; {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`) for bytes after the last delimiter, with
 * `trailing: 'error'`; {@link SocketTimeoutError} (`ETIMEDOUT`) for a frame that takes longer than `frameTimeout`;
 * {@link BackpressureOverflowError} (`ERR_BACKPRESSURE_OVERFLOW`) if more than 64 MiB wait and the source cannot be
 * held; and the errors of the source.
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
  return decodeAs('delimited', delimitedCodec(delimiter, options), options);
}
