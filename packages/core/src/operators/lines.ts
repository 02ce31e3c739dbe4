// lines(): the lines of a stream.
import type { OperatorFunction } from 'rxjs';
import { type LinesOptions, linesCodec } from '../framing/lines.js';
import { type DecodeOptions, decode } from './decode.js';

/**
 * Splits bytes into lines of text: at LF, one CR before it stripped, or exactly at the `delimiter` you name. The same as `decode(linesCodec(options))`.
 *
 * Half-close: an unterminated last line is emitted, dropped or refused, as `trailing` says. Backpressure: while held it stops inside a chunk, and leaving it gives unused bytes back to the socket.
 *
 * @throws as notifications: {@link FrameTooLongError} for a line over `maxLength` bytes, {@link TruncatedFrameError} for `trailing: 'error'`.
 *
 * @example
 * ```ts
 * import { connect, data, lines } from '@rxsock/core';
 *
 * connect({ port: 79 }).pipe(data(), lines()).subscribe(console.log);
 * ```
 */
export function lines(options: LinesOptions & DecodeOptions = {}): OperatorFunction<Uint8Array, string> {
  return decode(linesCodec(options), options);
}
