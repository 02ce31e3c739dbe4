// lengthPrefixed(): splits bytes into frames that begin with their length.
import type { OperatorFunction } from 'rxjs';
import type { Codec } from '../framing/codec.js';
import {
  type HeaderFrame,
  type HeaderFrameOptions,
  type LengthPrefixedOptions,
  lengthPrefixedCodec,
} from '../framing/length-prefixed.js';
import { type DecodeOptions, decodeAs } from './decode.js';

/**
 * Splits bytes into frames that begin with their length, and emits the payloads; with `header: true`, the bytes before
 * the length too. The same as
 * `decode(lengthPrefixedCodec(options))`; {@link lengthPrefixedCodec} shows the formats.
 *
 * **Half-close**: a FIN between two frames completes the stream. A FIN inside a frame makes it fail with
 * {@link TruncatedFrameError}.
 *
 * **Backpressure**: while a consumer holds, the operator stops, even in the middle of a chunk, and holds its source. If
 * the consumer unsubscribes in the middle of a chunk of `socket.pipe(data())`, the unused bytes go back to the socket
 * and the next reader receives them.
 *
 * @param options The length field, and how long a payload may be, in bytes ({@link LengthPrefixedOptions}); how long
 * one frame may take, in milliseconds ({@link DecodeOptions}).
 * @returns An operator that emits each payload, and completes with its source.
 * @throws At the call: {@link TypeError} for an option of the wrong type or with an unknown value; {@link RangeError}
 * for an `offset` that is not an integer from 0 up, an `adjustment` that is not an integer, a `maxLength` that is not a
 * positive integer or Infinity, or a `frameTimeout` that is not 0 or more.
 * @throws As a notification: {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`) for a declared payload over `maxLength`,
 * before any of it is buffered; {@link FrameError} (`ERR_FRAME_MALFORMED`) for a length that `adjustment` makes
 * negative, and for a varint of more than 10 bytes; {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`) if the source
 * ends inside a frame; {@link SocketTimeoutError} (`ETIMEDOUT`) for a frame that takes longer than `frameTimeout`;
 * {@link BackpressureOverflowError} (`ERR_BACKPRESSURE_OVERFLOW`) if more than 64 MiB wait and the source cannot be
 * held; and the errors of the source.
 * @example
 * ```ts
 * import { connect, data, lengthPrefixed } from '@rxsock/core';
 *
 * // DNS over TCP: two bytes of length before each message (RFC 1035, 4.2.2)
 * connect({ port: 53 }).pipe(data(), lengthPrefixed({ lengthField: 2 })).subscribe(console.log);
 * ```
 */
export function lengthPrefixed(options: LengthPrefixedOptions & DecodeOptions): OperatorFunction<Uint8Array, Buffer>;
export function lengthPrefixed(options: HeaderFrameOptions & DecodeOptions): OperatorFunction<Uint8Array, HeaderFrame>;
export function lengthPrefixed(
  options: (LengthPrefixedOptions | HeaderFrameOptions) & DecodeOptions,
): OperatorFunction<Uint8Array, Buffer | HeaderFrame> {
  const codec: Pick<Codec<Buffer | HeaderFrame>, 'decoder'> = lengthPrefixedCodec(options as LengthPrefixedOptions);
  return decodeAs('lengthPrefixed', codec, options);
}
