// The codecs of a reader's own reads: those of framing/, whose errors tell what somebody with a reader can do.
import type { Chunk, Codec } from '../framing/codec.js';
import { delimitedCodecBy, delimitedRules } from '../framing/delimited.js';
import { lineRules, linesCodecBy } from '../framing/lines.js';
import type { Decodes } from './decoding.js';

/** Where a read has failed nothing is lost, so that all of these can be followed at once. */
const RAISE = 'raise the maxLength of reader()';

/** The lines of `readLine` and `readLines`. */
export function readerLines(maxLength: number): Codec<string> {
  const remedy = `${RAISE}, or leave such lines out with readFrame(linesCodec({ maxLength, oversize: 'discard' }))`;
  return linesCodecBy({ ...lineRules({ maxLength }), remedy }, 'utf8');
}

/** What `readUntil` reads, once. */
export function readerDelimited(delimiter: Chunk, maxLength: number): Decodes<Buffer> {
  const rules = delimitedRules(delimiter, { maxLength, trailing: 'error' });
  const remedy = `${RAISE}, or take the bytes in pieces with read(length)`;
  return delimitedCodecBy({ ...rules, noun: 'stretch up to the delimiter', remedy });
}
