// fixedLength(): frames of one size.
import type { OperatorFunction } from 'rxjs';
import { fixedLengthCodec } from '../framing/fixed-length.js';
import { type DecodeOptions, decode } from './decode.js';

/**
 * Cuts bytes into frames of `length` bytes. The same as `decode(fixedLengthCodec(length))`.
 *
 * Half-close: an end inside a frame is an error. Backpressure: while held it stops inside a chunk, and leaving it gives
 * unused bytes back to the socket.
 *
 * @param length In bytes, from 1 up.
 * @throws as a notification: {@link TruncatedFrameError}. At the call: RangeError for a length that cannot be.
 *
 * @example
 * ```ts
 * import { connect, data, fixedLength } from '@rxsock/core';
 *
 * connect({ port: 9000 }).pipe(data(), fixedLength(188)).subscribe((packet) => console.log(packet[0]));
 * ```
 */
export function fixedLength(length: number, options: DecodeOptions = {}): OperatorFunction<Uint8Array, Buffer> {
  return decode(fixedLengthCodec(length), options);
}
