// The codec of byte frames that end with a delimiter.

import { type Chunk, toBytes } from '../base/bytes.js';
import { checkOneOf, checkOptions } from '../base/check.js';
import { copyBytes } from '../base/copy-bytes.js';
import type { BytesCodec } from './codec.js';
import { DelimiterDecoder, type DelimiterDecoderOptions } from './delimiter-decoder.js';
import { checkPayloadLength, encodeError } from './encode-errors.js';
import { checkMaxLength, DELIMITED_MAX_LENGTH, type OversizePolicy, type TrailingPolicy } from './options.js';

/** Options of {@link delimitedCodec}. */
export interface DelimitedOptions {
  /**
   * The longest payload, in bytes, without the delimiter. Infinity means no limit.
   *
   * @defaultValue 65536 (64 KiB)
   */
  readonly maxLength?: number | undefined;
  /**
   * What happens at the end of the input to bytes after the last delimiter. `'emit'` makes them the last frame,
   * `'drop'` leaves them in the decoder's `rest()`, and `'error'` fails with a {@link TruncatedFrameError}.
   *
   * @defaultValue `'emit'`
   */
  readonly trailing?: TrailingPolicy | undefined;
  /**
   * What happens to a payload over `maxLength`. `'error'` fails with a {@link FrameTooLongError}, and `'discard'` skips
   * the frame and frees its bytes as they arrive.
   *
   * @defaultValue `'error'`
   */
  readonly oversize?: OversizePolicy | undefined;
}

/**
 * A codec for frames of bytes that end with `delimiter`. The delimiter is not part of the frame, and a frame may be
 * empty.
 *
 * ```text
 *   INPUT                         FRAMES
 *   +-----+----+-----+----+       +-----+   +-----+
 *   | one | \0 | two | \0 |  -->  | one |   | two |
 *   +-----+----+-----+----+       +-----+   +-----+
 * ```
 *
 * A frame ends at the first place where its bytes end with the delimiter, even if the delimiter can overlap itself or
 * the payload.
 *
 * @param delimiter One byte or more. A string is encoded as UTF-8.
 * @param options The limit, and what happens to frames that are too long or not terminated.
 * @returns A codec that decodes to Buffers, and encodes strings (as UTF-8) and `Uint8Array`s.
 * @throws At the call: {@link TypeError} for an empty delimiter, and for a delimiter or an option of the wrong type, or
 * an option with an unknown value; {@link RangeError} for a `maxLength` that is not a positive integer or Infinity.
 * @throws From the decoder: {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`) for a payload over `maxLength`, with
 * `oversize: 'error'`; {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`) for bytes after the last delimiter, with
 * `trailing: 'error'`.
 * @throws From `encode()`: {@link FrameError} (`ERR_FRAME_MALFORMED`) for a payload that contains the delimiter, or
 * whose end forms an earlier delimiter together with the delimiter after it; {@link FrameTooLongError}
 * (`ERR_FRAME_TOO_LONG`) for a payload over `maxLength`; {@link TypeError} for a payload that is neither a string nor a
 * `Uint8Array`.
 * @example
 * ```ts
 * import { delimitedCodec } from '@rxsock/core';
 *
 * const decoder = delimitedCodec('\0').decoder();
 * decoder.push(Buffer.from('one\0two\0'));
 * console.log(String(decoder.next()), String(decoder.next())); // one two
 * ```
 */
export function delimitedCodec(delimiter: Chunk, options: DelimitedOptions = {}): BytesCodec {
  return createDelimitedCodec(resolveDelimitedOptions(delimiter, options));
}

/** Checks the options and fills in the defaults. */
export function resolveDelimitedOptions(delimiter: Chunk, options: DelimitedOptions): DelimiterDecoderOptions {
  checkOptions(options, '{ maxLength: 1024 }');
  const { maxLength = DELIMITED_MAX_LENGTH, trailing = 'emit', oversize = 'error' } = options;
  const resolved: DelimiterDecoderOptions = {
    delimiter: Buffer.from(toBytes(delimiter, 'The delimiter')),
    stripCR: false,
    maxLength: checkMaxLength(maxLength),
    trailing: checkOneOf('trailing', trailing, ['emit', 'drop', 'error']),
    oversize: checkOneOf('oversize', oversize, ['error', 'discard']),
    frameName: 'frame',
  };
  if (resolved.delimiter.length === 0) throw new TypeError('The delimiter must have at least one byte');
  return resolved;
}

/** Returns the codec of {@link delimitedCodec}. A reader calls it with its own `remedy`. */
export function createDelimitedCodec(options: DelimiterDecoderOptions): BytesCodec {
  return {
    decoder: () => new DelimitedDecoder(options),
    encode: (value) => encode(value, options),
  };
}

class DelimitedDecoder extends DelimiterDecoder<Buffer> {
  protected override decodePayload(bytes: Buffer, start: number, end: number): Buffer {
    return copyBytes(bytes, start, end);
  }
}

function encode(value: Chunk, { delimiter, maxLength }: DelimiterDecoderOptions): Buffer {
  const payload = toBytes(value, 'A payload');
  checkPayloadLength(payload.length, maxLength);
  const frame = Buffer.concat([payload, delimiter]);
  // Searches the whole frame: with a delimiter that overlaps itself, the end of the payload may begin an earlier one.
  if (frame.indexOf(delimiter) === payload.length) return frame;
  throw encodeError(
    'The delimiter occurs before the end of the frame: escape it in the payload, or use lengthPrefixedCodec()',
  );
}
