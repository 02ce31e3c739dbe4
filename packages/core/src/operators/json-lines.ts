// jsonLines(): JSON values, one a line.
import type { OperatorFunction } from 'rxjs';
import { type JsonLinesOptions, jsonLinesCodec } from '../framing/json-lines.js';
import { type DecodeOptions, decode } from './decode.js';

/**
 * Parses each line as JSON; empty lines are skipped. The same as `decode(jsonLinesCodec(options))`.
 *
 * Half-close: an unterminated last line is parsed like the others, unless `trailing` says otherwise. Backpressure: while held it stops inside a chunk, and leaving it gives unused bytes back to the socket.
 *
 * @throws as notifications: {@link JsonLineError} with the line's number, {@link FrameTooLongError}.
 *
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
  return decode(jsonLinesCodec<T>(options), options);
}
