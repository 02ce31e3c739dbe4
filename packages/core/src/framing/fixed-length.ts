// The codec of frames that all have the same length.
import { type Chunk, toBytes } from '../base/bytes.js';
import { checkFiniteSize } from '../base/check.js';
import { BorrowingDecoder } from './borrowing-decoder.js';
import type { BytesCodec } from './codec.js';
import { encodeError } from './encode-errors.js';

/**
 * A codec for frames of exactly `length` bytes, with nothing between them.
 *
 * ```text
 *   INPUT (length: 4)         FRAMES
 *   +------+------+-----+     +------+   +------+
 *   | 0123 | 4567 | 89  | --> | 0123 |   | 4567 |   and 89 waits for two more bytes
 *   +------+------+-----+     +------+   +------+
 * ```
 *
 * The decoder needs memory only for the bytes that have arrived.
 *
 * @param length The length of every frame in bytes, from 1 up.
 * @returns A codec that decodes to Buffers, and encodes strings (as UTF-8) and `Uint8Array`s. `encode()` does not copy
 * a `Uint8Array`.
 * @throws At the call: {@link TypeError} for a `length` that is not a number; {@link RangeError} for one that is not a
 * positive safe integer.
 * @throws From the decoder: {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`) if the input ends inside a frame.
 * @throws From `encode()`: {@link FrameError} (`ERR_FRAME_MALFORMED`) for a payload of another length;
 * {@link TypeError} for a payload that is neither a string nor a `Uint8Array`.
 * @example
 * ```ts
 * import { fixedLengthCodec } from '@rxsock/core';
 *
 * const decoder = fixedLengthCodec(4).decoder();
 * decoder.push(Buffer.from('0123456'));
 * console.log(String(decoder.next()), decoder.next()); // 0123 undefined
 * ```
 */
export function fixedLengthCodec(length: number): BytesCodec {
  checkFiniteSize('length', length);
  return {
    decoder: () => new FixedLengthDecoder(length),
    encode: (value) => encode(value, length),
  };
}

class FixedLengthDecoder extends BorrowingDecoder<Buffer> {
  readonly #length: number;

  constructor(length: number) {
    super();
    this.#length = length;
  }

  protected decodeFrame(): Buffer | undefined {
    if (!this.queue.gather(this.#length)) return this.needMoreBytes('frame');
    return this.queue.takeFrame(0, this.#length, this.#length);
  }
}

function encode(value: Chunk, length: number): Buffer {
  const payload = toBytes(value, 'A payload');
  if (payload.length === length) return payload;
  throw encodeError(`The payload has ${payload.length} bytes and every frame has ${length}: pad or split the payload`);
}
