// jsonLines(): parses each line as a JSON value.
import type { OperatorFunction } from 'rxjs';
import { type JsonLinesOptions, jsonLinesCodec } from '../framing/json-lines.js';
import { type DecodeOptions, decodeAs } from './decode.js';

/**
 * Parses each line as a JSON value and skips blank lines. The same as `decode(jsonLinesCodec(options))`.
 *
 * Nothing checks that a value is a `T`. Check the values of a peer that you do not trust.
 *
 * **Half-close**: at the peer's FIN an unterminated last line is parsed and emitted, and the stream completes. With
 * `trailing: 'drop'` that line is dropped. With `trailing: 'error'` the stream fails with {@link TruncatedFrameError}
 * instead.
 *
 * **Backpressure**: while a consumer holds, the operator stops, even in the middle of a chunk, and holds its source. If
 * the consumer unsubscribes in the middle of a chunk of `socket.pipe(data())`, the unused bytes go back to the socket
 * and the next reader receives them.
 *
 * @param options How long lines may be, in bytes ({@link JsonLinesOptions}); how long one may take, in milliseconds
 * ({@link DecodeOptions}).
 * @returns An operator that emits each value, and completes with its source.
 * @throws At the call: {@link TypeError} for an option of the wrong type or with an unknown value; {@link RangeError}
 * for a `maxLength` that is not a positive integer or Infinity, or a `frameTimeout` that is not 0 or more.
 * @throws As a notification: {@link JsonLineError} (`ERR_FRAME_MALFORMED`) for a line that is not valid JSON, with its
 * number; {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`) for a line over `maxLength`, with `oversize: 'error'`;
 * {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`) for an unterminated last line, with `trailing: 'error'`;
 * {@link SocketTimeoutError} (`ETIMEDOUT`) for a frame that takes longer than `frameTimeout`;
 * {@link BackpressureOverflowError} (`ERR_BACKPRESSURE_OVERFLOW`) if more than 64 MiB wait and the source cannot be
 * held; and the errors of the source.
 * @example
 * ```ts
 * import { connect, data, jsonLines } from '@rxsock/core';
 *
 * connect({ port: 9000 }).pipe(data(), jsonLines<{ id: number }>()).subscribe(({ id }) => console.log(id));
 * ```
 */
export function jsonLines<T = unknown>(
  options: JsonLinesOptions & DecodeOptions = {},
): OperatorFunction<Uint8Array, T> {
  return decodeAs('jsonLines', jsonLinesCodec<T>(options), options);
}
