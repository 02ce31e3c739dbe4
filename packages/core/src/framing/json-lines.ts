// The codec of JSON values, one value a line.
import { checkOneOf, checkOptions } from '../base/check.js';
import { JsonLineError } from '../base/errors.js';
import type { Codec } from './codec.js';
import { encodeError } from './encode-errors.js';
import { LineDecoder, type ParseLine } from './line-decoder.js';
import { encodeLine, type LinesOptions, resolveLinesOptions } from './lines.js';

/** Options of {@link jsonLinesCodec}. */
export interface JsonLinesOptions extends Pick<LinesOptions, 'maxLength' | 'trailing' | 'oversize'> {
  /**
   * What happens to a line that is empty or has only spaces and tabs; some peers send such lines to keep a connection
   * alive. `'skip'` skips it, and `'error'` fails with a {@link JsonLineError}. Either way it counts in line numbers.
   *
   * @defaultValue `'skip'`
   */
  readonly blankLines?: 'skip' | 'error' | undefined;
}

/**
 * A codec for JSON values, one value a line (JSON Lines, NDJSON). Lines end as with {@link linesCodec}: with LF, and
 * one CR before it is stripped. A byte order mark at the beginning of the input is passed over. Its three bytes count
 * towards `maxLength`.
 *
 * ```text
 *   INPUT                               VALUES
 *   +----------+----+----------+----+
 *   | {"id":1} | \n | {"id":2} | \n |  -->  { id: 1 }   { id: 2 }
 *   +----------+----+----------+----+
 * ```
 *
 * Nothing checks that a value is a `T`. Check the values of a peer that you do not trust.
 *
 * If the peer terminates every line, use `trailing: 'error'`. With the default an unterminated last line is parsed too.
 * The beginning of a number is also a number, so a line that was cut off may look complete.
 *
 * @param options The limit, and what happens to lines that are blank, too long or not terminated.
 * @returns A codec that decodes and encodes values of type `T`.
 * @throws At the call: {@link TypeError} for an option of the wrong type or with an unknown value; {@link RangeError}
 * for a `maxLength` that is not a positive integer or Infinity.
 * @throws From the decoder: {@link JsonLineError} (`ERR_FRAME_MALFORMED`) for a line that is not valid JSON, with its
 * number; {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`) for a line over `maxLength`, with `oversize: 'error'`;
 * {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`) for an unterminated last line, with `trailing: 'error'`.
 * @throws From `encode()`: {@link FrameError} (`ERR_FRAME_MALFORMED`) for a value that JSON cannot express, such as
 * `undefined` or a circular object; {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`) for a line over `maxLength`.
 * @see https://jsonlines.org
 * @example
 * ```ts
 * import { jsonLinesCodec } from '@rxsock/core';
 *
 * const codec = jsonLinesCodec<{ id: number }>();
 * const decoder = codec.decoder();
 * decoder.push(Buffer.from(codec.encode({ id: 1 })));
 * console.log(decoder.next()?.id); // 1
 * ```
 */
export function jsonLinesCodec<T = unknown>(options: JsonLinesOptions = {}): Codec<T> {
  checkOptions(options, '{ maxLength: 1024 }');
  const { maxLength, trailing, oversize, blankLines = 'skip' } = options;
  const resolved = resolveLinesOptions({ maxLength, trailing, oversize });
  const skipBlank = checkOneOf('blankLines', blankLines, ['skip', 'error']) === 'skip';
  const parseLine: ParseLine<T> = (text, lineNumber) => {
    const line = lineNumber === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
    return skipBlank && isBlank(line) ? undefined : parse<T>(line, lineNumber);
  };
  return {
    decoder: () => new LineDecoder(resolved, 'utf8', parseLine),
    encode: (value) => encodeLine(stringify(value), resolved, 'utf8'),
  };
}

const BYTE_ORDER_MARK = '\ufeff';

function isBlank(line: string): boolean {
  return /^[ \t\r]*$/.test(line);
}

function parse<T>(line: string, lineNumber: number): T {
  try {
    return JSON.parse(line) as T;
  } catch (cause) {
    const message = `Line ${lineNumber} is not valid JSON: ${(cause as Error).message}`;
    throw new JsonLineError(message, { line: lineNumber, cause });
  }
}

function stringify(value: unknown): string {
  let line: string | undefined;
  try {
    line = JSON.stringify(value);
  } catch (cause) {
    throw encodeError(`The value cannot be written as JSON: ${cause instanceof Error ? cause.message : cause}`, cause);
  }
  if (line === undefined) {
    throw encodeError(`JSON cannot express this value of type ${typeof value}: send null instead`);
  }
  return line;
}
