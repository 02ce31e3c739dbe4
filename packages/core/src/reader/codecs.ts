// The codecs of a reader's own reads. They are those of framing/, with error messages that name what a reader can do.
import type { Chunk } from '../base/bytes.js';
import type { Codec } from '../framing/codec.js';
import { createDelimitedCodec, resolveDelimitedOptions } from '../framing/delimited.js';
import { createLinesCodec, resolveLinesOptions } from '../framing/lines.js';
import type { Decodes } from './decoding.js';

/** A failed read loses no bytes, so a caller can still follow this advice and read again. */
const RAISE_LIMIT = 'raise the maxLength of reader()';

/** Returns the codec of `readLine()` and `readLines()`. */
export function readerLines(maxLength: number): Codec<string> {
  const remedy = `${RAISE_LIMIT}, or skip such lines with readFrame(linesCodec({ maxLength, oversize: 'discard' }))`;
  return createLinesCodec({ ...resolveLinesOptions({ maxLength }), remedy }, 'utf8');
}

/** Returns the codec of one `readUntil()`. */
export function readerDelimited(delimiter: Chunk, maxLength: number): Decodes<Buffer> {
  const options = resolveDelimitedOptions(delimiter, { maxLength, trailing: 'error' });
  const remedy = `${RAISE_LIMIT}, or take the bytes in pieces with read(length)`;
  return createDelimitedCodec({ ...options, frameName: 'block up to the delimiter', remedy });
}
