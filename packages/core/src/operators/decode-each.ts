// decodeEach(): every chunk by itself, as for datagrams.
import { concatMap, type Observable, type OperatorFunction } from 'rxjs';
import type { Codec } from '../framing/codec.js';

/**
 * Decodes every chunk by itself: a frame does not go on in the next one. For datagrams and messages, whose bounds are kept
 * by the transport. Backpressure: passed through.
 *
 * @throws as notifications, what the codec throws, also when a chunk ends inside a frame.
 *
 * @example
 * ```ts
 * import { decodeEach, linesCodec } from '@rxsock/core';
 * import type { Observable } from 'rxjs';
 *
 * declare const datagrams: Observable<Buffer>;
 * datagrams.pipe(decodeEach(linesCodec())).subscribe(console.log);
 * ```
 */
export function decodeEach<T>(codec: Pick<Codec<T>, 'decoder'>): OperatorFunction<Uint8Array, T> {
  return (source: Observable<Uint8Array>) => source.pipe(concatMap((chunk) => framesOf(codec, chunk)));
}

function* framesOf<T>(codec: Pick<Codec<T>, 'decoder'>, chunk: Uint8Array): Generator<T> {
  const decoder = codec.decoder();
  decoder.push(chunk);
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) yield frame;
  decoder.end();
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) yield frame;
}
