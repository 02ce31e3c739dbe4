// fixedLength(): cuts bytes into frames of one length.
import type { OperatorFunction } from 'rxjs';
import { fixedLengthCodec } from '../framing/fixed-length.js';
import { type DecodeOptions, decodeAs } from './decode.js';

/**
 * Cuts bytes into frames of `length` bytes. The same as `decode(fixedLengthCodec(length))`.
 *
 * **Half-close**: a FIN between two frames completes the stream. A FIN inside a frame makes it fail with
 * {@link TruncatedFrameError}.
 *
 * **Backpressure**: while a consumer holds, the operator stops, even in the middle of a chunk, and holds its source. If
 * the consumer unsubscribes in the middle of a chunk of `socket.pipe(data())`, the unused bytes go back to the socket
 * and the next reader receives them.
 *
 * @param length The length of every frame in bytes, from 1 up.
 * @param options How long one frame may take, in milliseconds.
 * @returns An operator that emits each frame, and completes with its source.
 * @throws At the call: {@link TypeError} for a `length` that is not a number, or an option of the wrong type;
 * {@link RangeError} for a `length` that is not a positive integer, or a `frameTimeout` that is not 0 or more.
 * @throws As a notification: {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`) if the source ends inside a frame;
 * {@link SocketTimeoutError} (`ETIMEDOUT`) for a frame that takes longer than `frameTimeout`;
 * {@link BackpressureOverflowError} (`ERR_BACKPRESSURE_OVERFLOW`) if more than 64 MiB wait and the source cannot be
 * held; and the errors of the source.
 * @example
 * ```ts
 * import { connect, data, fixedLength } from '@rxsock/core';
 *
 * connect({ port: 9000 }).pipe(data(), fixedLength(188)).subscribe((packet) => console.log(packet[0]));
 * ```
 */
export function fixedLength(length: number, options: DecodeOptions = {}): OperatorFunction<Uint8Array, Buffer> {
  return decodeAs('fixedLength', fixedLengthCodec(length), options);
}
