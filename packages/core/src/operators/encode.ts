// encode(): values to the bytes of frames.
import { map, type OperatorFunction } from 'rxjs';
import type { Chunk, Codec } from '../framing/codec.js';

/**
 * Turns values into the bytes of frames with anybody's codec. Backpressure: passed through. A value that the codec
 * refuses is an error notification.
 *
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
