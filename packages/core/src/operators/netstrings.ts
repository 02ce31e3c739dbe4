// netstrings(): splits bytes into the payloads of netstrings.
import type { OperatorFunction } from 'rxjs';
import { type NetstringsOptions, netstringsCodec } from '../framing/netstrings.js';
import { type DecodeOptions, decodeAs } from './decode.js';

/**
 * Splits bytes into netstrings, such as `5:hello,`, and emits the payloads. The same as
 * `decode(netstringsCodec(options))`.
 *
 * **Half-close**: a FIN between two netstrings completes the stream. A FIN inside a netstring makes it fail with
 * {@link TruncatedFrameError}.
 *
 * **Backpressure**: while a consumer holds, the operator stops, even in the middle of a chunk, and holds its source. If
 * the consumer unsubscribes in the middle of a chunk of `socket.pipe(data())`, the unused bytes go back to the socket
 * and the next reader receives them.
 *
 * @param options How long a payload may be, in bytes ({@link NetstringsOptions}); how long one netstring may take, in
 * milliseconds ({@link DecodeOptions}).
 * @returns An operator that emits each payload, and completes with its source.
 * @throws At the call: {@link TypeError} for an option of the wrong type or with an unknown value; {@link RangeError}
 * for a `maxLength` that is not a positive integer or Infinity, or a `frameTimeout` that is not 0 or more.
 * @throws As a notification: {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`) for a declared payload over `maxLength`,
 * before any of it is buffered; {@link FrameError} (`ERR_FRAME_MALFORMED`) for bytes that are not a netstring;
 * {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`) if the source ends inside a netstring; {@link SocketTimeoutError}
 * (`ETIMEDOUT`) for a frame that takes longer than `frameTimeout`; {@link BackpressureOverflowError}
 * (`ERR_BACKPRESSURE_OVERFLOW`) if more than 64 MiB wait and the source cannot be held; and the errors of the source.
 * @see https://cr.yp.to/proto/netstrings.txt
 * @example
 * ```ts
 * import { connect, data, netstrings } from '@rxsock/core';
 *
 * connect({ port: 628 }).pipe(data(), netstrings()).subscribe((payload) => console.log(payload.toString()));
 * ```
 */
export function netstrings(options: NetstringsOptions & DecodeOptions = {}): OperatorFunction<Uint8Array, Buffer> {
  return decodeAs('netstrings', netstringsCodec(options), options);
}
