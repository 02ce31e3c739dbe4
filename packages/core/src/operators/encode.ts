// encode(): encodes values as the bytes of frames.
import { map, type OperatorFunction } from 'rxjs';
import type { Chunk } from '../base/bytes.js';
import type { Codec } from '../framing/codec.js';

/**
 * Encodes each value as the bytes of a frame, with any codec.
 *
 * **Backpressure**: passed through.
 *
 * @param codec A codec. Only its `encode()` is used.
 * @returns An operator that emits one chunk for each value, and completes with its source.
 * @throws As a notification: the errors of `codec.encode()`, and those of the source. The codecs of this library throw
 * {@link FrameError} (`ERR_FRAME_MALFORMED`) for a value that the format cannot carry, {@link FrameTooLongError}
 * (`ERR_FRAME_TOO_LONG`) for one over the limit, and {@link TypeError} for one of the wrong type.
 * @example
 * ```ts
 * import { connect, encode, linesCodec, writeTo } from '@rxsock/core';
 * import { of } from 'rxjs';
 *
 * of('NICK me', 'JOIN #rxjs')
 *   .pipe(encode(linesCodec({ delimiter: '\r\n' })), writeTo(connect({ port: 6667 })))
 *   .subscribe();
 * ```
 */
export function encode<T>(codec: Pick<Codec<T>, 'encode'>): OperatorFunction<T, Chunk> {
  return map((value) => codec.encode(value));
}
