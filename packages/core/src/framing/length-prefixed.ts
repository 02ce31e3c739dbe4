// The codec of byte frames that begin with their length.
import { type Chunk, toBytes } from '../base/bytes.js';
import { checkBoolean, checkInteger, checkOneOf, checkOptions } from '../base/check.js';
import { copyBytes } from '../base/copy-bytes.js';
import type { BytesCodec, Codec } from './codec.js';
import { checkPayloadLength, encodeError } from './encode-errors.js';
import { type ByteOrder, encodeVarint, type LengthField, maxFieldValue, writeUnsigned } from './length-field.js';
import { LengthPrefixedDecoder, type LengthPrefixedDecoderOptions, type TakeFrame } from './length-prefixed-decoder.js';
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
   * How many bytes come before the length field. The decoder drops them, and the encoder writes zeros: see `header`.
   *
   * @defaultValue 0
   */
  readonly offset?: number | undefined;
  /**
   * `true` keeps the bytes before the length field: see {@link HeaderFrameOptions}.
   *
   * @defaultValue false
   */
  readonly header?: false | undefined;
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

/** Options of {@link lengthPrefixedCodec} for frames with what comes before the length. */
export interface HeaderFrameOptions extends Omit<LengthPrefixedOptions, 'header'> {
  /** Keeps the bytes before the length field. `offset` must be 1 or more. */
  readonly header: true;
}

/** A frame of {@link lengthPrefixedCodec} with `header: true`. */
export interface HeaderFrame {
  /** The `offset` bytes before the length field. */
  readonly header: Buffer;
  readonly payload: Buffer;
}

/** A codec that decodes {@link HeaderFrame}s. Headers and payloads to encode may also be strings (UTF-8). */
export interface HeaderCodec extends Codec<HeaderFrame> {
  /**
   * Returns the bytes of one frame.
   *
   * @throws {@link FrameError} (`ERR_FRAME_MALFORMED`) for a `header` that has not exactly `offset` bytes, and the errors
   * of {@link lengthPrefixedCodec}.
   */
  encode(value: { readonly header: Chunk; readonly payload: Chunk }): Buffer;
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
 *
 * { lengthField: 4, offset: 1, adjustment: -4, header: true }: the messages of PostgreSQL
 *
 *   INPUT                              FRAME
 *   +-----+------------+---------+       +-----------------------------------------+
 *   | 'Q' | 0x00000009 | 5 bytes |  -->  | { header: <51>, payload: <5 bytes> }    |
 *   +-----+------------+---------+       +-----------------------------------------+
 *    offset  length      payload
 * ```
 *
 * The decoder checks the length before it buffers any payload, and needs memory only for the bytes that have arrived.
 *
 * @param options The length field, what it counts, and the limit.
 * @returns A codec that decodes to Buffers, and encodes strings (as UTF-8) and `Uint8Array`s. With `header: true`, a
 * {@link HeaderCodec}.
 * @throws At the call: {@link TypeError} for an option of the wrong type or with an unknown value; {@link RangeError}
 * for an `offset` that is not an integer from 0 up (from 1 up with `header: true`), an `adjustment` that is not an
 * integer, or a `maxLength` that is not a positive integer or Infinity.
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
export function lengthPrefixedCodec(options: LengthPrefixedOptions): BytesCodec;
export function lengthPrefixedCodec(options: HeaderFrameOptions): HeaderCodec;
export function lengthPrefixedCodec(options: LengthPrefixedOptions | HeaderFrameOptions): BytesCodec | HeaderCodec {
  checkOptions(options, '{ lengthField: 4 }');
  const { byteOrder = 'big', offset = 0, header = false, adjustment = 0, maxLength = PREFIXED_MAX_LENGTH } = options;
  checkBoolean('header', header);
  const resolved: LengthPrefixedDecoderOptions = {
    lengthField: checkOneOf('lengthField', options.lengthField, [1, 2, 3, 4, 8, 'varint']),
    byteOrder: checkOneOf('byteOrder', byteOrder, ['big', 'little']),
    offset: checkInteger('offset', offset, header ? 1 : 0),
    adjustment: checkInteger('adjustment', adjustment),
    maxLength: checkMaxLength(maxLength),
  };
  if (header) return headerCodec(resolved);
  const zeros = Buffer.alloc(offset);
  return {
    decoder: () => new LengthPrefixedDecoder(resolved, takePayload),
    encode: (value: Chunk) => encode(zeros, value, resolved),
  };
}

function headerCodec(options: LengthPrefixedDecoderOptions): HeaderCodec {
  const { offset } = options;
  const take: TakeFrame<HeaderFrame> = (queue, payloadStart, frameLength) => ({
    header: copyBytes(queue.buffer, queue.offset, queue.offset + offset),
    payload: takePayload(queue, payloadStart, frameLength),
  });
  return {
    decoder: () => new LengthPrefixedDecoder(options, take),
    encode: ({ header, payload }) => {
      const bytes = toBytes(header, 'A header');
      if (bytes.length !== offset) {
        throw encodeError(`The header has ${bytes.length} bytes, and offset is ${offset}: they must be equal`);
      }
      return encode(bytes, payload, options);
    },
  };
}

const takePayload: TakeFrame<Buffer> = (queue, payloadStart, frameLength) =>
  queue.takeFrame(payloadStart, frameLength, frameLength);

function encode(
  header: Uint8Array,
  value: Chunk,
  { lengthField, byteOrder, adjustment, maxLength }: LengthPrefixedDecoderOptions,
): Buffer {
  const payload = toBytes(value, 'A payload');
  checkPayloadLength(payload.length, maxLength);
  const fieldValue = payload.length - adjustment;
  if (fieldValue < 0 || fieldValue > maxFieldValue(lengthField)) {
    const problem = `A payload of ${payload.length} bytes needs the length ${fieldValue}`;
    throw encodeError(`${problem}, which does not fit the field: check lengthField (${lengthField}) and adjustment`);
  }
  if (lengthField === 'varint') return Buffer.concat([header, encodeVarint(fieldValue), payload]);
  const field = Buffer.alloc(lengthField);
  writeUnsigned(field, 0, lengthField, byteOrder, fieldValue);
  return Buffer.concat([header, field, payload]);
}
