// Frames of bytes behind a field that says how long they are.
import { FrameError, FrameTooLongError } from '../base/errors.js';
import type { BytesCodec, Chunk } from './codec.js';
import { FrameDecoder } from './frame-decoder.js';
import {
  type ByteOrder,
  greatest,
  type LengthField,
  readUnsigned,
  VarintReader,
  varintOf,
  writeUnsigned,
} from './length-field.js';
import { bytesOf, checkInteger, checkOneOf, checkPayloadLength, PREFIXED_MAX_LENGTH, refused } from './options.js';

/** Where the length is, how it is written and what it counts. */
export interface LengthPrefixedOptions {
  /** The width of the length field in bytes, or `'varint'`: seven bits a byte, lowest first, as in Protocol Buffers. */
  readonly lengthField: LengthField;
  /**
   * Which byte of the length comes first: the most significant or the least. A varint has an order of its own.
   *
   * @defaultValue `'big'`
   */
  readonly byteOrder?: ByteOrder | undefined;
  /**
   * How many bytes come before the length field. The decoder drops them, the encoder writes zeros.
   *
   * @defaultValue 0
   */
  readonly offset?: number | undefined;
  /**
   * What has to be added to the field's value to get the payload's length in bytes: where the field counts itself, minus
   * its own width.
   *
   * @defaultValue 0
   */
  readonly adjustment?: number | undefined;
  /**
   * The longest payload, in bytes.
   *
   * @defaultValue 16777216 (16 MiB)
   */
  readonly maxLength?: number | undefined;
}

/**
 * Frames of bytes behind a length field; the payload alone is the frame, and may be empty.
 *
 * ```text
 * lengthField: 2, offset: 1, adjustment: -3 (the length counts all)
 *
 *   +------+--------+-----------+        +-----------+
 *   | 0x07 | 0x0008 | 5 bytes   |  --->  | 5 bytes   |
 *   +------+--------+-----------+        +-----------+
 *    offset  length   payload              frame
 * ```
 *
 * The decoder raises {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`) for a length over `maxLength` as soon as it is
 * read: no memory is set aside for what has not arrived. It raises {@link FrameError} (`ERR_FRAME_MALFORMED`) for a
 * length that the adjustment makes negative and for a varint of more than 10 bytes, and {@link TruncatedFrameError}
 * (`ERR_FRAME_TRUNCATED`) when the input ends inside a frame. The encoder refuses a payload that the field cannot
 * express (`ERR_FRAME_MALFORMED`) or that is over `maxLength` (`ERR_FRAME_TOO_LONG`).
 *
 * @example
 * ```ts
 * import { lengthPrefixedCodec } from '@rxsock/core';
 *
 * const codec = lengthPrefixedCodec({ lengthField: 2 });
 * console.log(codec.encode('hi')); // <Buffer 00 02 68 69>
 * const decoder = codec.decoder();
 * decoder.push(Buffer.from([0, 2, 104, 105]));
 * console.log(String(decoder.next())); // hi
 * ```
 *
 * @throws TypeError or RangeError when an option is not one of those above.
 */
export function lengthPrefixedCodec(options: LengthPrefixedOptions): BytesCodec {
  const rules: Rules = {
    lengthField: checkOneOf('lengthField', options?.lengthField, [1, 2, 3, 4, 8, 'varint']),
    byteOrder: checkOneOf('byteOrder', options.byteOrder ?? 'big', ['big', 'little']),
    offset: checkInteger('offset', options.offset ?? 0, 0),
    adjustment: checkInteger('adjustment', options.adjustment ?? 0, Number.MIN_SAFE_INTEGER),
    maxLength: checkInteger('maxLength', options.maxLength ?? PREFIXED_MAX_LENGTH, 0),
  };
  return {
    decoder: () => new LengthPrefixedDecoder(rules),
    encode: (value) => encode(value, rules),
  };
}

interface Rules {
  readonly lengthField: LengthField;
  readonly byteOrder: ByteOrder;
  readonly offset: number;
  readonly adjustment: number;
  readonly maxLength: number;
}

class LengthPrefixedDecoder extends FrameDecoder<Buffer> {
  readonly #rules: Rules;
  readonly #varint = new VarintReader();
  /** The bytes before the payload, as soon as the length has been read; then also the payload's length. */
  #header: number | undefined;
  #length = 0;

  constructor(rules: Rules) {
    super();
    this.#rules = rules;
  }

  protected pull(): Buffer | undefined {
    const { queue } = this;
    if (this.#header === undefined && !this.#readHeader()) return this.unfinished('frame');
    const header = this.#header!;
    const total = header + this.#length;
    if (!queue.need(total)) return this.unfinished('frame');
    const frame = queue.take(header, total, total);
    this.#header = undefined;
    return frame;
  }

  #readHeader(): boolean {
    const { queue } = this;
    const { lengthField, byteOrder, offset } = this.#rules;
    if (lengthField === 'varint') return this.#readVarint();
    if (!queue.need(offset + lengthField)) return false;
    this.#setLength(readUnsigned(queue.source, queue.offset + offset, lengthField, byteOrder), offset + lengthField);
    return true;
  }

  #readVarint(): boolean {
    const { queue } = this;
    const { offset } = this.#rules;
    let last = false;
    while (!last) {
      const at = offset + this.#varint.bytes;
      if (!queue.need(at + 1)) return false;
      last = this.#varint.take(queue.source[queue.offset + at]!);
    }
    this.#setLength(this.#varint.value, offset + this.#varint.bytes);
    this.#varint.reset();
    return true;
  }

  #setLength(value: number, header: number): void {
    const { adjustment, maxLength } = this.#rules;
    const length = value + adjustment;
    if (length < 0) {
      throw new FrameError(
        `A frame says length ${value}, which the adjustment of ${adjustment} makes negative: check what the peer counts.`,
      );
    }
    if (value > Number.MAX_SAFE_INTEGER || length > maxLength) {
      throw new FrameTooLongError(
        `A frame says that it is longer than ${maxLength} bytes: raise maxLength, or check what the peer sends.`,
        { limit: maxLength },
      );
    }
    this.#header = header;
    this.#length = length;
  }
}

function encode(value: Chunk, { lengthField, byteOrder, offset, adjustment, maxLength }: Rules): Buffer {
  const payload = bytesOf(value, 'A payload');
  checkPayloadLength(payload.length, maxLength);
  const length = payload.length - adjustment;
  if (length < 0 || length > greatest(lengthField)) {
    throw refused(
      `A payload of ${payload.length} bytes makes a length of ${length}, which the length field cannot express.`,
    );
  }
  if (lengthField === 'varint') return Buffer.concat([Buffer.alloc(offset), varintOf(length), payload]);
  const header = Buffer.alloc(offset + lengthField);
  writeUnsigned(header, offset, lengthField, byteOrder, length);
  return Buffer.concat([header, payload]);
}
