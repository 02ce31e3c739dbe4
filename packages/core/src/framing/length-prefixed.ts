// The codec of byte frames that begin with their length.
import { type Chunk, toBytes } from '../base/bytes.js';
import { checkInteger, checkOneOf, checkOptions } from '../base/check.js';
import type { BytesCodec } from './codec.js';
import { checkPayloadLength, encodeError } from './encode-errors.js';
import { type ByteOrder, encodeVarint, type LengthField, maxFieldValue, writeUnsigned } from './length-field.js';
import { LengthPrefixedDecoder, type LengthPrefixedDecoderOptions } from './length-prefixed-decoder.js';
import { checkMaxLength, PREFIXED_MAX_LENGTH } from './options.js';

/** Options of {@link lengthPrefixedCodec}: where the length is, how it is written, and what it counts. */
export interface LengthPrefixedOptions {
  /**
   * The width of the length field in bytes, or `'varint'`: seven bits per byte, the lowest bits first, as in Protocol
   * Buffers.
   */
  readonly lengthField: LengthField;
  /**
   * Which byte of the length comes first: the most significant or the least significant. A varint ignores it.
   *
   * @defaultValue `'big'`
   */
  readonly byteOrder?: ByteOrder | undefined;
  /**
   * How many bytes come before the length field. The decoder drops them, and the encoder writes zeros.
   *
   * @defaultValue 0
   */
  readonly offset?: number | undefined;
  /**
   * What to add to the value of the length field to get the length of the payload, in bytes. It is negative if the
   * field also counts itself or the bytes before it.
   *
   * @defaultValue 0
   */
  readonly adjustment?: number | undefined;
  /**
   * The longest payload, in bytes. Infinity means no limit.
   *
   * @defaultValue 16777216 (16 MiB)
   */
  readonly maxLength?: number | undefined;
}

/**
 * A codec for frames of bytes that begin with their length. Only the payload is in the frame, and it may be empty.
 *
 * ```text
 * { lengthField: 2 }: the length counts the payload
 *
 *   INPUT                      FRAME
 *   +--------+---------+       +---------+
 *   | 0x0005 | 5 bytes |  -->  | 5 bytes |
 *   +--------+---------+       +---------+
 *    length   payload
 *
 * { lengthField: 2, offset: 1, adjustment: -3 }: the length counts everything
 *
 *   INPUT                             FRAME
 *   +------+--------+---------+       +---------+
 *   | 0x07 | 0x0008 | 5 bytes |  -->  | 5 bytes |
 *   +------+--------+---------+       +---------+
 *    offset  length   payload
 *
 * { lengthField: 'varint' }
 *
 *   INPUT                         FRAME
 *   +--------+-----------+       +-----------+
 *   | 0xac02 | 300 bytes |  -->  | 300 bytes |
 *   +--------+-----------+       +-----------+
 *    length   payload
 * ```
 *
 * The decoder checks the length before it buffers any payload, and needs memory only for the bytes that have arrived.
 *
 * @param options The length field, what it counts, and the limit.
 * @returns A codec that decodes to Buffers, and encodes strings (as UTF-8) and `Uint8Array`s.
 * @throws At the call: {@link TypeError} for an option of the wrong type or with an unknown value; {@link RangeError}
 * for an `offset` that is not an integer from 0 up, an `adjustment` that is not an integer, or a `maxLength` that is
 * not a positive integer or Infinity.
 * @throws From the decoder: {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`) for a declared payload over `maxLength`;
 * {@link FrameError} (`ERR_FRAME_MALFORMED`) for a length that `adjustment` makes negative, and for a varint of more
 * than 10 bytes; {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`) if the input ends inside a frame.
 * @throws From `encode()`: {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`) for a payload over `maxLength`;
 * {@link FrameError} (`ERR_FRAME_MALFORMED`) for a payload whose length, less `adjustment`, is negative or does not fit
 * the length field; {@link TypeError} for a payload that is neither a string nor a `Uint8Array`.
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
 */
export function lengthPrefixedCodec(options: LengthPrefixedOptions): BytesCodec {
  checkOptions(options, '{ lengthField: 4 }');
  const { byteOrder = 'big', offset = 0, adjustment = 0, maxLength = PREFIXED_MAX_LENGTH } = options;
  const resolved: LengthPrefixedDecoderOptions = {
    lengthField: checkOneOf('lengthField', options.lengthField, [1, 2, 3, 4, 8, 'varint']),
    byteOrder: checkOneOf('byteOrder', byteOrder, ['big', 'little']),
    offset: checkInteger('offset', offset, 0),
    adjustment: checkInteger('adjustment', adjustment),
    maxLength: checkMaxLength(maxLength),
  };
  return {
    decoder: () => new LengthPrefixedDecoder(resolved),
    encode: (value) => encode(value, resolved),
  };
}

function encode(
  value: Chunk,
  { lengthField, byteOrder, offset, adjustment, maxLength }: LengthPrefixedDecoderOptions,
): Buffer {
  const payload = toBytes(value, 'A payload');
  checkPayloadLength(payload.length, maxLength);
  const fieldValue = payload.length - adjustment;
  if (fieldValue < 0 || fieldValue > maxFieldValue(lengthField)) {
    const problem = `A payload of ${payload.length} bytes needs the length ${fieldValue}`;
    throw encodeError(`${problem}, which does not fit the field: check lengthField (${lengthField}) and adjustment`);
  }
  if (lengthField === 'varint') return Buffer.concat([Buffer.alloc(offset), encodeVarint(fieldValue), payload]);
  const header = Buffer.alloc(offset + lengthField);
  writeUnsigned(header, offset, lengthField, byteOrder, fieldValue);
  return Buffer.concat([header, payload]);
}
