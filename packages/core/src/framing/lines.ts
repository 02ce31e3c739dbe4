// The codec of lines of text.
import { inspect } from 'node:util';
import { checkOneOf, checkOptions } from '../base/check.js';
import type { Codec } from './codec.js';
import type { DelimiterDecoderOptions } from './delimiter-decoder.js';
import { checkPayloadLength, encodeError } from './encode-errors.js';
import { LineDecoder } from './line-decoder.js';
import { checkMaxLength, DELIMITED_MAX_LENGTH, type OversizePolicy, type TrailingPolicy } from './options.js';

/** Options of {@link linesCodec}. */
export interface LinesOptions {
  /**
   * What ends a line. With `'\n'` lines end with LF, one CR before it is stripped, and a CR elsewhere is data. With
   * `'\r\n'` lines end with exactly CR LF, and a CR or LF alone is data: for protocols in which a bare LF is an attack.
   *
   * @defaultValue `'\n'`
   */
  readonly delimiter?: '\n' | '\r\n' | undefined;
  /**
   * The longest line, in bytes, without its LF or CR LF. Infinity means no limit.
   *
   * @defaultValue 65536 (64 KiB)
   */
  readonly maxLength?: number | undefined;
  /**
   * What happens to a last line that is not empty and not terminated. `'emit'` makes it a line, `'drop'` leaves it in
   * the decoder's `rest()`, and `'error'` fails with a {@link TruncatedFrameError}.
   *
   * @defaultValue `'emit'`
   */
  readonly trailing?: TrailingPolicy | undefined;
  /**
   * What happens to a line over `maxLength`. `'error'` fails with a {@link FrameTooLongError}, and `'discard'` skips
   * the line and frees its bytes as they arrive.
   *
   * @defaultValue `'error'`
   */
  readonly oversize?: OversizePolicy | undefined;
  /**
   * How bytes become text. With `'utf8'` invalid bytes become U+FFFD, and a byte order mark is kept.
   *
   * @defaultValue `'utf8'`
   */
  readonly encoding?: 'utf8' | 'latin1' | undefined;
}

/**
 * A codec for lines of text. A line may be empty. Lines are split before they are decoded to text, so a character that
 * is cut between two chunks stays whole.
 *
 * ```text
 *   INPUT                            LINES
 *   +-----+-------+-----+----+       +-----+   +-----+
 *   | one | \r \n | two | \n |  -->  | one |   | two |
 *   +-----+-------+-----+----+       +-----+   +-----+
 * ```
 *
 * A line that you keep may keep up to 8 KiB of the text around it in memory, because it is a slice of a longer string.
 *
 * @param options What ends a line, the limit, the encoding, and what happens to lines that are too long or not
 * terminated.
 * @returns A codec that decodes and encodes strings. `encode()` appends the delimiter.
 * @throws At the call: {@link TypeError} for an option of the wrong type or with an unknown value; {@link RangeError}
 * for a `maxLength` that is not a positive integer or Infinity.
 * @throws From the decoder: {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`) for a line over `maxLength`, with
 * `oversize: 'error'`; {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`) for an unterminated last line, with
 * `trailing: 'error'`.
 * @throws From `encode()`: {@link FrameError} (`ERR_FRAME_MALFORMED`) for a line that contains the delimiter, that ends
 * with a CR which the decoder would strip, or that Latin-1 cannot encode; {@link FrameTooLongError}
 * (`ERR_FRAME_TOO_LONG`) for a line over `maxLength`; {@link TypeError} for a line that is not a string.
 * @example
 * ```ts
 * import { linesCodec } from '@rxsock/core';
 *
 * const decoder = linesCodec({ maxLength: 1024 }).decoder();
 * decoder.push(Buffer.from('one\r\ntwo\nthr'));
 * console.log(decoder.next(), decoder.next(), decoder.next()); // one two undefined
 * ```
 */
export function linesCodec(options: LinesOptions = {}): Codec<string> {
  const resolved = resolveLinesOptions(options);
  const { encoding = 'utf8' } = options;
  return createLinesCodec(resolved, checkOneOf('encoding', encoding, ['utf8', 'latin1']));
}

/** Returns the codec of {@link linesCodec}. A reader calls it with its own `remedy`. */
export function createLinesCodec(options: DelimiterDecoderOptions, encoding: 'utf8' | 'latin1'): Codec<string> {
  return {
    decoder: () => new LineDecoder(options, encoding, identity),
    encode: (line) => encodeLine(line, options, encoding),
  };
}

const identity = (line: string): string => line;

/** Checks the options that all line formats share, and fills in the defaults. */
export function resolveLinesOptions(options: LinesOptions): DelimiterDecoderOptions {
  checkOptions(options, '{ maxLength: 1024 }');
  const { delimiter = '\n', maxLength = DELIMITED_MAX_LENGTH, trailing = 'emit', oversize = 'error' } = options;
  if (delimiter !== '\n' && delimiter !== '\r\n') {
    throw new TypeError(`delimiter must be '\\n' or '\\r\\n': for another one use delimited() or delimitedCodec()`);
  }
  return {
    delimiter: Buffer.from(delimiter),
    stripCR: delimiter === '\n',
    maxLength: checkMaxLength(maxLength),
    trailing: checkOneOf('trailing', trailing, ['emit', 'drop', 'error']),
    oversize: checkOneOf('oversize', oversize, ['error', 'discard']),
    frameName: 'line',
  };
}

/** Checks a line and appends the delimiter. With UTF-8 the result stays a string, because a write encodes it anyway. */
export function encodeLine(
  line: string,
  options: DelimiterDecoderOptions,
  encoding: 'utf8' | 'latin1',
): string | Buffer {
  if (typeof line !== 'string') throw new TypeError(`A line must be a string, not ${inspect(line, { depth: 0 })}`);
  const delimiter = options.stripCR ? '\n' : '\r\n';
  if (line.includes(delimiter)) {
    throw encodeError(`A line cannot contain its delimiter ${inspect(delimiter)}: send it as several lines`);
  }
  if (options.stripCR && line.endsWith('\r')) {
    throw encodeError("A line cannot end with CR, because a CR before LF is stripped: use delimiter: '\\r\\n'");
  }
  if (encoding === 'latin1' && !isLatin1(line)) {
    throw encodeError("A line has a character above U+00FF, which latin1 cannot encode: use encoding: 'utf8'");
  }
  checkPayloadLength(Buffer.byteLength(line, encoding), options.maxLength);
  return encoding === 'utf8' ? line + delimiter : Buffer.from(line + delimiter, 'latin1');
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}
