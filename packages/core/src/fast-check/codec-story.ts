// Tells a counterexample of verifyCodec() like a story: these bytes, cut here, gave this instead of that.
import { types } from 'node:util';
import fc from 'fast-check';

/** One run of a decoder: its input, and how the input was given to it. */
export interface DecoderRun {
  readonly input: Uint8Array;
  /** The lengths of the chunks. */
  readonly lengths: readonly number[];
  /** What else was done: `stopping after 1 frame`. */
  readonly besides: readonly string[];
}

/** One line for each part of a story, its values one below the other. */
export function tell(parts: readonly (readonly [string, string])[]): string {
  const width = Math.max(...parts.map(([name]) => name.length)) + 2;
  return parts.map(([name, text]) => `  ${`${name}:`.padEnd(width)}${text}`).join('\n');
}

export function showRun({ input, lengths, besides }: DecoderRun): [string, string][] {
  const many = lengths.length > 1 ? `, cut at | into ${lengths.length} chunks` : '';
  const parts: [string, string][] = [['these bytes', showBytes(input, lengths, many)]];
  if (besides.length > 0) parts.push(['decoded by', besides.join(', ')]);
  return parts;
}

export function showFailure(failure: { readonly error: unknown } | undefined): string {
  if (!failure) return 'no error';
  const { error } = failure;
  if (!(error instanceof Error)) return `the error ${fc.stringify(error)}`;
  const fields = Object.entries(error).filter(([key, value]) => key !== 'name' && value !== undefined);
  const shownFields = fields.length > 0 ? ` ${fc.stringify(Object.fromEntries(fields))}` : '';
  return `${error.name}: ${error.message}${shownFields}`;
}

export function showValue(value: unknown): string {
  return types.isUint8Array(value) ? showBytes(value) : fc.stringify(value);
}

/** How many bytes of an input or a frame a message shows. */
const SHOWN = 32;

/**
 * Shows bytes in hexadecimal and as text: `0d|0a "\r|\n" (2 bytes)`.
 * @param lengths The lengths of the chunks. A `|` stands between two chunks.
 * @param more What to say after the number of bytes.
 */
export function showBytes(bytes: Uint8Array, lengths: readonly number[] = [], more = ''): string {
  const length = count(bytes.length, 'byte');
  if (bytes.length === 0) return `no bytes${more}`;
  const hex: string[] = [];
  const text: string[] = [];
  let at = 0;
  for (const chunkLength of [...lengths, bytes.length]) {
    const chunk = bytes.subarray(at, Math.min(at + chunkLength, SHOWN));
    hex.push([...chunk].map((byte) => byte.toString(16).padStart(2, '0')).join(' '));
    text.push([...chunk].map(showCharacter).join(''));
    at += chunkLength;
    if (at >= Math.min(bytes.length, SHOWN)) break;
  }
  const dots = bytes.length > SHOWN ? '…' : '';
  return `${hex.join('|')}${dots} "${text.join('|')}${dots}" (${length}${more})`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\' };

/** A byte as ASCII. What is not printable, and the `|` that would look like a cut, is shown as `\x7c`. */
function showCharacter(byte: number): string {
  const character = String.fromCharCode(byte);
  if (byte < 0x20 || byte > 0x7e || character === '|')
    return ESCAPES[character] ?? `\\x${byte.toString(16).padStart(2, '0')}`;
  return ESCAPES[character] ?? character;
}

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
