// The codec of netstrings: the length in decimal digits, a colon, the payload, a comma.
import { type Chunk, toBytes } from '../base/bytes.js';
import { checkOptions } from '../base/check.js';
import { FrameError, FrameTooLongError } from '../base/errors.js';
import { BorrowingDecoder } from './borrowing-decoder.js';
import type { BytesCodec } from './codec.js';
import { checkPayloadLength } from './encode-errors.js';
import { checkMaxLength, PREFIXED_MAX_LENGTH } from './options.js';

/** Options of {@link netstringsCodec}. */
export interface NetstringsOptions {
  /**
   * The longest payload, in bytes. Infinity means no limit.
   *
   * @defaultValue 16777216 (16 MiB)
   */
  readonly maxLength?: number | undefined;
}

/**
 * A codec for netstrings as D. J. Bernstein defined them. The length is in decimal digits without leading zeros, and
 * `0:,` is an empty frame.
 *
 * ```text
 *   INPUT                       FRAME
 *   +---+---+-------+---+       +-------+
 *   | 5 | : | hello | , |  -->  | hello |
 *   +---+---+-------+---+       +-------+
 *   length   payload
 * ```
 *
 * @param options The limit.
 * @returns A codec that decodes to Buffers, and encodes strings (as UTF-8) and `Uint8Array`s.
 * @throws At the call: {@link TypeError} for options that are not an object or a `maxLength` that is not a number;
 * {@link RangeError} for a `maxLength` that is not a positive integer or Infinity.
 * @throws From the decoder: {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`) at the digit that makes the length exceed
 * `maxLength`, before any payload is buffered; {@link FrameError} (`ERR_FRAME_MALFORMED`) for a wrong length, colon or
 * comma; {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`) if the input ends inside a netstring.
 * @throws From `encode()`: {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`) for a payload over `maxLength`;
 * {@link TypeError} for a payload that is neither a string nor a `Uint8Array`.
 * @see https://cr.yp.to/proto/netstrings.txt
 * @example
 * ```ts
 * import { netstringsCodec } from '@rxsock/core';
 *
 * const codec = netstringsCodec();
 * console.log(String(codec.encode('hello'))); // 5:hello,
 * const decoder = codec.decoder();
 * decoder.push(Buffer.from('5:hello,'));
 * console.log(String(decoder.next())); // hello
 * ```
 */
export function netstringsCodec(options: NetstringsOptions = {}): BytesCodec {
  checkOptions(options, '{ maxLength: 1024 }');
  const { maxLength: limit = PREFIXED_MAX_LENGTH } = options;
  const maxLength = checkMaxLength(limit);
  return {
    decoder: () => new NetstringDecoder(maxLength),
    encode: (value) => encode(value, maxLength),
  };
}

const ZERO = 48;
const COLON = 58;
const COMMA = 44;

class NetstringDecoder extends BorrowingDecoder<Buffer> {
  readonly #maxLength: number;
  /** How many bytes of the header have been read: the digits, and then the colon. */
  #headerLength = 0;
  /** The length of the payload, as far as its digits have been read. */
  #payloadLength = 0;
  /** `true` once the colon has been read. */
  #headerRead = false;

  constructor(maxLength: number) {
    super();
    this.#maxLength = maxLength;
  }

  protected decodeFrame(): Buffer | undefined {
    const { queue } = this;
    while (!this.#headerRead) {
      if (!queue.gather(this.#headerLength + 1)) return this.needMoreBytes('netstring');
      this.#readHeaderByte(queue.buffer[queue.offset + this.#headerLength]!);
    }
    const end = this.#headerLength + this.#payloadLength;
    if (!queue.gather(end + 1)) return this.needMoreBytes('netstring');
    if (queue.buffer[queue.offset + end] !== COMMA) {
      throw new FrameError(
        'A netstring does not end with a comma: its length is wrong, or the peer does not send netstrings',
      );
    }
    const frame = queue.takeFrame(this.#headerLength, end, end + 1);
    this.#headerLength = 0;
    this.#payloadLength = 0;
    this.#headerRead = false;
    return frame;
  }

  #readHeaderByte(byte: number): void {
    const digit = byte - ZERO;
    if (byte === COLON && this.#headerLength > 0) {
      this.#headerRead = true;
    } else if (digit < 0 || digit > 9 || (this.#headerLength > 0 && this.#payloadLength === 0)) {
      throw new FrameError(
        'A netstring must begin with decimal digits, without leading zeros, and a colon: check what the peer sends',
      );
    } else {
      this.#payloadLength = 10 * this.#payloadLength + digit;
      if (this.#payloadLength > this.#maxLength) throw this.#tooLong();
    }
    this.#headerLength++;
  }

  #tooLong(): FrameTooLongError {
    return new FrameTooLongError(
      `A netstring declares a length over ${this.#maxLength} bytes: raise maxLength, or check what the peer sends`,
      { limit: this.#maxLength },
    );
  }
}

function encode(value: Chunk, maxLength: number): Buffer {
  const payload = toBytes(value, 'A payload');
  checkPayloadLength(payload.length, maxLength);
  return Buffer.concat([Buffer.from(`${payload.length}:`), payload, Buffer.from(',')]);
}
