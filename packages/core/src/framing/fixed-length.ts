// Frames that are all of one length.
import type { BytesCodec, Chunk } from './codec.js';
import { FrameDecoder } from './frame-decoder.js';
import { bytesOf, checkInteger, refused } from './options.js';

/**
 * Frames of exactly `length` bytes, one after the other, with nothing between them.
 *
 * The decoder raises {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`) when the input ends inside a frame; memory
 * grows with what has arrived of it. The encoder refuses a payload of any other length ({@link FrameError},
 * `ERR_FRAME_MALFORMED`), and does not copy one that fits.
 *
 * @param length - The length of every frame, in bytes, 1 or more.
 *
 * @example
 * ```ts
 * import { fixedLengthCodec } from '@rxsock/core';
 *
 * const decoder = fixedLengthCodec(4).decoder();
 * decoder.push(Buffer.from('0123456'));
 * console.log(String(decoder.next()), decoder.next()); // 0123 undefined
 * ```
 *
 * @throws RangeError when `length` is not a safe integer of 1 or more.
 */
export function fixedLengthCodec(length: number): BytesCodec {
  checkInteger('The length', length, 1);
  return {
    decoder: () => new FixedLengthDecoder(length),
    encode: (value) => encode(value, length),
  };
}

class FixedLengthDecoder extends FrameDecoder<Buffer> {
  readonly #length: number;

  constructor(length: number) {
    super();
    this.#length = length;
  }

  protected pull(): Buffer | undefined {
    if (!this.queue.need(this.#length)) return this.unfinished('frame');
    return this.queue.take(0, this.#length, this.#length);
  }
}

function encode(value: Chunk, length: number): Buffer {
  const payload = bytesOf(value, 'A payload');
  if (payload.length === length) return payload;
  throw refused(`Every frame has ${length} bytes and the payload has ${payload.length}: pad or split it.`);
}
