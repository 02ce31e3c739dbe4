// Netstrings: the length in decimal digits, a colon, the payload, a comma.
import { FrameError, FrameTooLongError } from '../base/errors.js';
import type { BytesCodec, Chunk } from './codec.js';
import { FrameDecoder } from './frame-decoder.js';
import { bytesOf, checkInteger, checkPayloadLength, PREFIXED_MAX_LENGTH } from './options.js';

/** How long the netstrings may be. */
export interface NetstringsOptions {
  /**
   * The longest payload, in bytes.
   *
   * @defaultValue 16777216 (16 MiB)
   */
  readonly maxLength?: number | undefined;
}

/**
 * Netstrings, as D. J. Bernstein defined them: `5:hello,` is the payload `hello`. The length is in decimal digits
 * without leading zeros; `0:,` is an empty frame.
 *
 * The decoder raises {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`) at the digit that takes the length over
 * `maxLength`, before any payload is kept, {@link FrameError} (`ERR_FRAME_MALFORMED`) for a wrong length, colon or
 * comma, and {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`) when the input ends inside a frame. The encoder refuses
 * a payload over `maxLength`.
 *
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
 *
 * @throws RangeError when `maxLength` is not a non-negative safe integer.
 */
export function netstringsCodec(options: NetstringsOptions = {}): BytesCodec {
  const maxLength = checkInteger('maxLength', options.maxLength ?? PREFIXED_MAX_LENGTH, 0);
  return {
    decoder: () => new NetstringDecoder(maxLength),
    encode: (value) => encode(value, maxLength),
  };
}

const ZERO = 48;
const COLON = 58;
const COMMA = 44;

class NetstringDecoder extends FrameDecoder<Buffer> {
  readonly #maxLength: number;
  /** How many bytes of the header have been read: the digits and the colon. */
  #header = 0;
  /** The payload's length as far as its digits have been read. */
  #length = 0;
  #hasLength = false;

  constructor(maxLength: number) {
    super();
    this.#maxLength = maxLength;
  }

  protected pull(): Buffer | undefined {
    const { queue } = this;
    while (!this.#hasLength) {
      if (!queue.need(this.#header + 1)) return this.unfinished('netstring');
      this.#readHeader(queue.source[queue.offset + this.#header]!);
    }
    const end = this.#header + this.#length;
    if (!queue.need(end + 1)) return this.unfinished('netstring');
    if (queue.source[queue.offset + end] !== COMMA) {
      throw new FrameError(
        'A netstring does not end with a comma: its length is wrong, or the peer sends something else.',
      );
    }
    const frame = queue.take(this.#header, end, end + 1);
    this.#header = 0;
    this.#length = 0;
    this.#hasLength = false;
    return frame;
  }

  #readHeader(byte: number): void {
    const digit = byte - ZERO;
    if (byte === COLON && this.#header > 0) {
      this.#hasLength = true;
    } else if (digit < 0 || digit > 9 || (this.#header > 0 && this.#length === 0)) {
      throw new FrameError(
        'A netstring does not begin with a length in decimal digits without leading zeros, and a colon.',
      );
    } else {
      this.#length = 10 * this.#length + digit;
      if (this.#length > this.#maxLength) throw this.#tooLong();
    }
    this.#header++;
  }

  #tooLong(): FrameTooLongError {
    return new FrameTooLongError(
      `A netstring says that it is longer than ${this.#maxLength} bytes: raise maxLength, or check what the peer sends.`,
      { limit: this.#maxLength },
    );
  }
}

function encode(value: Chunk, maxLength: number): Buffer {
  const payload = bytesOf(value, 'A payload');
  checkPayloadLength(payload.length, maxLength);
  return Buffer.concat([Buffer.from(`${payload.length}:`), payload, Buffer.from(',')]);
}
