// Frames of bytes that end with a delimiter.

import { copyOf } from './byte-queue.js';
import type { BytesCodec, Chunk } from './codec.js';
import { DelimiterDecoder, type DelimiterRules } from './delimiter-decoder.js';
import {
  bytesOf,
  checkInteger,
  checkOneOf,
  checkPayloadLength,
  DELIMITED_MAX_LENGTH,
  type OversizePolicy,
  refused,
  type TrailingPolicy,
} from './options.js';

/** How long the frames may be, and what becomes of those that are not whole. */
export interface DelimitedOptions {
  /**
   * The longest payload, in bytes, the delimiter not counted.
   *
   * @defaultValue 65536 (64 KiB)
   */
  readonly maxLength?: number | undefined;
  /**
   * What becomes of bytes after the last delimiter when the input ends: they are given as a frame, they are dropped (and
   * stay in the decoder's `rest()`), or they are a {@link TruncatedFrameError}.
   *
   * @defaultValue `'emit'`
   */
  readonly trailing?: TrailingPolicy | undefined;
  /**
   * What becomes of a payload over `maxLength`: it is a {@link FrameTooLongError}, or it is left out, and its bytes are
   * forgotten as they come.
   *
   * @defaultValue `'error'`
   */
  readonly oversize?: OversizePolicy | undefined;
}

/**
 * Frames of bytes that end with `delimiter`: one or more bytes, or a string, which is taken as UTF-8. A frame ends
 * where the delimiter first occurs in it, and the delimiter does not belong to it; frames may be empty.
 *
 * The decoder raises {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`) and, with `trailing: 'error'`,
 * {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`). The encoder refuses a payload that holds the delimiter, or of
 * which the end and the delimiter's beginning make one ({@link FrameError}, `ERR_FRAME_MALFORMED`), and one over
 * `maxLength` (`ERR_FRAME_TOO_LONG`).
 *
 * @example
 * ```ts
 * import { delimitedCodec } from '@rxsock/core';
 *
 * const decoder = delimitedCodec('\0').decoder();
 * decoder.push(Buffer.from('one\0two\0'));
 * console.log(String(decoder.next()), String(decoder.next())); // one two
 * ```
 *
 * @throws TypeError when the delimiter is empty, TypeError or RangeError when an option is not one of those above.
 */
export function delimitedCodec(delimiter: Chunk, options: DelimitedOptions = {}): BytesCodec {
  return delimitedCodecBy(delimitedRules(delimiter, options));
}

/** Checks the options. */
export function delimitedRules(delimiter: Chunk, options: DelimitedOptions): DelimiterRules {
  const rules: DelimiterRules = {
    delimiter: Buffer.from(bytesOf(delimiter, 'The delimiter')),
    stripCR: false,
    maxLength: checkInteger('maxLength', options.maxLength ?? DELIMITED_MAX_LENGTH, 0),
    trailing: checkOneOf('trailing', options.trailing ?? 'emit', ['emit', 'drop', 'error']),
    oversize: checkOneOf('oversize', options.oversize ?? 'error', ['error', 'discard']),
    noun: 'frame',
  };
  if (rules.delimiter.length === 0) throw new TypeError('The delimiter must have at least one byte.');
  return rules;
}

export function delimitedCodecBy(rules: DelimiterRules): BytesCodec {
  return {
    decoder: () => new DelimitedDecoder(rules),
    encode: (value) => encode(value, rules),
  };
}

class DelimitedDecoder extends DelimiterDecoder<Buffer> {
  protected override read(bytes: Buffer, from: number, to: number): Buffer {
    return copyOf(bytes, from, to);
  }
}

function encode(value: Chunk, { delimiter, maxLength }: DelimiterRules): Buffer {
  const payload = bytesOf(value, 'A payload');
  checkPayloadLength(payload.length, maxLength);
  const frame = Buffer.concat([payload, delimiter]);
  // Searched with the delimiter in place: where it overlaps itself, the payload's end may begin an earlier one.
  if (frame.indexOf(delimiter) === payload.length) return frame;
  throw refused('A payload cannot hold the delimiter, nor begin one with its end: escape it, or use lengthPrefixed().');
}
