// lines(): splits bytes into lines of text.
import type { OperatorFunction } from 'rxjs';
import { type LinesOptions, linesCodec } from '../framing/lines.js';
import { type DecodeOptions, decodeAs } from './decode.js';

/**
 * Splits bytes into lines of text. The same as `decode(linesCodec(options))`; {@link linesCodec} shows how lines end.
 *
 * **Half-close**: at the peer's FIN an unterminated last line is emitted, and the stream completes. With
 * `trailing: 'drop'` that line is dropped. With `trailing: 'error'` the stream fails with {@link TruncatedFrameError}
 * instead.
 *
 * **Backpressure**: while a consumer holds, the operator stops, even in the middle of a chunk, and holds its source. If
 * the consumer unsubscribes in the middle of a chunk of `socket.pipe(data())`, the unused bytes go back to the socket
 * and the next reader receives them.
 *
 * @param options How lines end and how long they may be, in bytes ({@link LinesOptions}); how long one may take, in
 * milliseconds ({@link DecodeOptions}).
 * @returns An operator that emits each line without its LF or CR LF, and completes with its source.
 * @throws At the call: {@link TypeError} for an option of the wrong type or with an unknown value; {@link RangeError}
 * for a `maxLength` that is not a positive integer or Infinity, or a `frameTimeout` that is not 0 or more.
 * @throws As a notification: {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`) for a line over `maxLength`, with
 * `oversize: 'error'`; {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`) for an unterminated last line, with
 * `trailing: 'error'`; {@link SocketTimeoutError} (`ETIMEDOUT`) for a frame that takes longer than `frameTimeout`;
 * {@link BackpressureOverflowError} (`ERR_BACKPRESSURE_OVERFLOW`) if more than 64 MiB wait and the source cannot be
 * held; and the errors of the source.
 * @example
 * ```ts
 * import { connect, data, lines } from '@rxsock/core';
 *
 * connect({ port: 79 }).pipe(data(), lines()).subscribe(console.log);
 * ```
 */
export function lines(options: LinesOptions & DecodeOptions = {}): OperatorFunction<Uint8Array, string> {
  return decodeAs('lines', linesCodec(options), options);
}
