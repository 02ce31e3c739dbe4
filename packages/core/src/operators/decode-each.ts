// decodeEach(): decodes every chunk on its own, for datagrams and messages.
import { concatMap, type Observable, type OperatorFunction } from 'rxjs';
import type { Codec } from '../framing/codec.js';

/**
 * Decodes every chunk on its own: each chunk gets a new decoder, and no frame continues in the next chunk. For
 * datagrams and messages, whose boundaries the transport keeps. For a stream of bytes use {@link decode}.
 *
 * **Backpressure**: passed through. After a hold, the remaining frames of the current chunk are still emitted.
 *
 * @param codec A codec. Only its `decoder()` is used.
 * @returns An operator that emits the frames of each chunk, and completes with its source.
 * @throws As a notification: the errors of the codec's decoder, and those of the source. The decoders of this library
 * throw {@link FrameError} (`ERR_FRAME_MALFORMED`), {@link JsonLineError} (`ERR_FRAME_MALFORMED`),
 * {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`), and {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`) for a chunk
 * that ends inside a frame.
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
