// JSON values, one a line.
import { JsonLineError } from '../base/errors.js';
import type { Codec } from './codec.js';
import { LineDecoder, type ReadLine } from './line-decoder.js';
import { encodeLine, type LinesOptions, lineRules } from './lines.js';
import { checkOneOf, refused } from './options.js';

/** How long the lines may be, and what becomes of lines that are no JSON values. */
export interface JsonLinesOptions extends Pick<LinesOptions, 'maxLength' | 'trailing' | 'oversize'> {
  /**
   * What becomes of a line that is empty or only spaces and tabs, which some peers send to keep a connection alive:
   * it is left out, or it is a {@link JsonLineError}. It counts as a line either way.
   *
   * @defaultValue `'skip'`
   */
  readonly blankLines?: 'skip' | 'error' | undefined;
}

/**
 * JSON values, one a line (JSON Lines, NDJSON). Lines end as with {@link linesCodec}: LF, perhaps with a CR before it.
 * `T` is what you expect; nothing checks that a value is one, so check it where the peer is not to be trusted.
 *
 * The decoder raises {@link JsonLineError} (`ERR_FRAME_MALFORMED`) with the number of the line, after the values of all
 * lines before it, and the errors of `linesCodec`. With `trailing: 'emit'` an unterminated last line is a value too: use
 * `'error'` where the peer ends every line, for a number that was cut off is still a number. The encoder refuses what
 * JSON cannot express, such as `undefined` ({@link FrameError}, `ERR_FRAME_MALFORMED`), and a line over `maxLength`
 * (`ERR_FRAME_TOO_LONG`).
 *
 * @example
 * ```ts
 * import { jsonLinesCodec } from '@rxsock/core';
 *
 * const codec = jsonLinesCodec<{ id: number }>();
 * const decoder = codec.decoder();
 * decoder.push(Buffer.from(codec.encode({ id: 1 })));
 * console.log(decoder.next()?.id); // 1
 * ```
 *
 * @throws TypeError or RangeError when an option is not one of those above.
 */
export function jsonLinesCodec<T = unknown>(options: JsonLinesOptions = {}): Codec<T> {
  const { maxLength, trailing, oversize } = options;
  const rules = lineRules({ maxLength, trailing, oversize });
  const skip = checkOneOf('blankLines', options.blankLines ?? 'skip', ['skip', 'error']) === 'skip';
  const readLine: ReadLine<T> = (line, number) => (skip && isBlank(line) ? undefined : parse<T>(line, number));
  return {
    decoder: () => new LineDecoder(rules, 'utf8', readLine),
    encode: (value) => encodeLine(stringify(value), rules, 'utf8'),
  };
}

function isBlank(line: string): boolean {
  return /^[ \t\r]*$/.test(line);
}

function parse<T>(line: string, number: number): T {
  try {
    return JSON.parse(line) as T;
  } catch (cause) {
    throw new JsonLineError(`Line ${number} is not valid JSON: ${(cause as Error).message}`, { line: number, cause });
  }
}

function stringify(value: unknown): string {
  let line: string | undefined;
  try {
    line = JSON.stringify(value);
  } catch (cause) {
    throw refused(`The value cannot be written as JSON: ${cause instanceof Error ? cause.message : cause}`, cause);
  }
  if (line === undefined) throw refused(`JSON has no way to write this value, which is of type ${typeof value}.`);
  return line;
}
