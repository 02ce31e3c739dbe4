// Lines of text.
import type { Codec } from './codec.js';
import type { DelimiterRules } from './delimiter-decoder.js';
import { LineDecoder } from './line-decoder.js';
import {
  checkInteger,
  checkOneOf,
  checkPayloadLength,
  DELIMITED_MAX_LENGTH,
  type OversizePolicy,
  refused,
  type TrailingPolicy,
} from './options.js';

/** How lines end and how long they may be. */
export interface LinesOptions {
  /**
   * What ends a line. `'\n'`: LF, and one CR before it does not belong to the line; a CR anywhere else is data.
   * `'\r\n'`: exactly CR LF, and a CR or LF by itself is data, for protocols in which a bare LF is an attack.
   *
   * @defaultValue `'\n'`
   */
  readonly delimiter?: '\n' | '\r\n' | undefined;
  /**
   * The longest line, in bytes, what ends it not counted.
   *
   * @defaultValue 65536 (64 KiB)
   */
  readonly maxLength?: number | undefined;
  /**
   * What becomes of an unterminated last line that is not empty: it is given as a line, it is dropped (and stays in the
   * decoder's `rest()`), or it is a {@link TruncatedFrameError}.
   *
   * @defaultValue `'emit'`
   */
  readonly trailing?: TrailingPolicy | undefined;
  /**
   * What becomes of a line over `maxLength`: it is a {@link FrameTooLongError}, or it is left out, and its bytes are
   * forgotten as they come.
   *
   * @defaultValue `'error'`
   */
  readonly oversize?: OversizePolicy | undefined;
  /**
   * How a line's bytes become text. In `'utf8'` invalid bytes become U+FFFD; a byte order mark is kept.
   *
   * @defaultValue `'utf8'`
   */
  readonly encoding?: 'utf8' | 'latin1' | undefined;
}

/**
 * Lines of text: empty ones are lines, bytes are decoded after they have been split, and a line is never cut.
 *
 * The decoder raises {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`) and, with `trailing: 'error'`,
 * {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`). The encoder writes the delimiter after each line; it refuses a
 * line that holds the delimiter, ends with the CR that would be stripped or is not Latin-1 where that is the encoding
 * ({@link FrameError}, `ERR_FRAME_MALFORMED`), and one over `maxLength` (`ERR_FRAME_TOO_LONG`).
 *
 * A line that you keep for long may hold on to up to 8 KiB of the text around it, as slices of strings do.
 *
 * @example
 * ```ts
 * import { linesCodec } from '@rxsock/core';
 *
 * const decoder = linesCodec({ maxLength: 1024 }).decoder();
 * decoder.push(Buffer.from('one\r\ntwo\nthr'));
 * console.log(decoder.next(), decoder.next(), decoder.next()); // one two undefined
 * ```
 *
 * @throws TypeError or RangeError when an option is not one of those above.
 */
export function linesCodec(options: LinesOptions = {}): Codec<string> {
  return linesCodecBy(lineRules(options), checkOneOf('encoding', options.encoding ?? 'utf8', ['utf8', 'latin1']));
}

export function linesCodecBy(rules: DelimiterRules, encoding: 'utf8' | 'latin1'): Codec<string> {
  return {
    decoder: () => new LineDecoder(rules, encoding, sameLine),
    encode: (line) => encodeLine(line, rules, encoding),
  };
}

const sameLine = (line: string): string => line;

/** Checks the options that all codecs for lines have in common. */
export function lineRules(options: LinesOptions): DelimiterRules {
  const delimiter = options.delimiter ?? '\n';
  if (delimiter !== '\n' && delimiter !== '\r\n') {
    throw new TypeError(
      `Lines end with '\\n' or '\\r\\n': for another delimiter, take delimited() or delimitedCodec().`,
    );
  }
  return {
    delimiter: Buffer.from(delimiter),
    stripCR: delimiter === '\n',
    maxLength: checkInteger('maxLength', options.maxLength ?? DELIMITED_MAX_LENGTH, 0),
    trailing: checkOneOf('trailing', options.trailing ?? 'emit', ['emit', 'drop', 'error']),
    oversize: checkOneOf('oversize', options.oversize ?? 'error', ['error', 'discard']),
    noun: 'line',
  };
}

/** Checks and terminates a line. In UTF-8 it stays a string: whoever writes it encodes it anyway. */
export function encodeLine(line: string, rules: DelimiterRules, encoding: 'utf8' | 'latin1'): string | Buffer {
  if (typeof line !== 'string') throw new TypeError('A line must be a string.');
  const delimiter = rules.stripCR ? '\n' : '\r\n';
  if (line.includes(delimiter)) {
    throw refused(`A line cannot hold its own delimiter, ${JSON.stringify(delimiter)}: send it as several lines.`);
  }
  if (rules.stripCR && line.endsWith('\r')) {
    throw refused("A line cannot end with CR, which would be stripped with the LF: use delimiter: '\\r\\n'.");
  }
  if (encoding === 'latin1' && !isLatin1(line)) {
    throw refused("The line has a character above U+00FF, which latin1 cannot express: use encoding: 'utf8'.");
  }
  checkPayloadLength(Buffer.byteLength(line, encoding), rules.maxLength);
  return encoding === 'utf8' ? line + delimiter : Buffer.from(line + delimiter, 'latin1');
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}
