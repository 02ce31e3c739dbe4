// What the codecs should do, written for the whole input at once and without regard to speed: the models against which
// the property tests check the decoders. Bytes are Latin-1 strings here, one character per byte.

/** The expected result for an input. */
export interface Expected {
  /** The payload of each frame, and where the bytes after it start. */
  readonly frames: readonly { readonly payload: string; readonly end: number }[];
  /** The class and the fields of the error, if there is one. */
  readonly error?: Record<string, unknown>;
  /** Where the rest starts, after the end or the error. */
  readonly left: number;
}

export interface DelimitedModel {
  readonly delimiter: string;
  readonly stripCR: boolean;
  readonly maxLength: number;
  readonly trailing: 'emit' | 'drop' | 'error';
  readonly oversize: 'error' | 'discard';
}

export function delimited(input: string, options: DelimitedModel): Expected {
  const { delimiter, maxLength } = options;
  const frames: { payload: string; end: number }[] = [];
  const pieces = input.split(delimiter);
  const last = pieces.pop()!;
  let at = 0;
  const tooLong = () => ({ frames, error: { name: 'FrameTooLongError', limit: maxLength }, left: at });
  for (const piece of pieces) {
    const payload = options.stripCR ? piece.replace(/\r$/, '') : piece;
    const end = at + piece.length + delimiter.length;
    if (payload.length <= maxLength) frames.push({ payload, end });
    else if (options.oversize === 'error') return tooLong();
    at = end;
  }
  if (last.length > maxLength) return options.oversize === 'error' ? tooLong() : { frames, left: input.length };
  if (last === '' || options.trailing === 'drop') return { frames, left: at };
  if (options.trailing === 'error') {
    return { frames, error: { name: 'TruncatedFrameError', buffered: last.length }, left: at };
  }
  return { frames: [...frames, { payload: last, end: input.length }], left: input.length };
}

export function fixedLength(input: string, length: number): Expected {
  const whole = Math.floor(input.length / length);
  const frames = Array.from({ length: whole }, (_, i) => ({
    payload: input.slice(i * length, (i + 1) * length),
    end: (i + 1) * length,
  }));
  const left = whole * length;
  return left === input.length ? { frames, left } : { frames, error: truncated(input, left), left };
}

/**
 * What the start of a frame means: it is incomplete, it is invalid, or it gives the lengths of header, payload and
 * trailer.
 */
type Header = 'more' | Record<string, unknown> | [header: number, payload: number, trailer: number];

function prefixed(input: string, readHeader: (input: string) => Header, checkTrailer = (_: string) => true): Expected {
  const frames: { payload: string; end: number }[] = [];
  let at = 0;
  while (at < input.length) {
    const found = readHeader(input.slice(at));
    if (found === 'more') return { frames, error: truncated(input, at), left: at };
    if (!Array.isArray(found)) return { frames, error: found, left: at };
    const [header, length, trailer] = found;
    const end = at + header + length + trailer;
    if (end > input.length) return { frames, error: truncated(input, at), left: at };
    if (!checkTrailer(input.slice(end - trailer, end))) return { frames, error: { name: 'FrameError' }, left: at };
    frames.push({ payload: input.slice(at + header, end - trailer), end });
    at = end;
  }
  return { frames, left: at };
}

function truncated(input: string, at: number): Record<string, unknown> {
  return { name: 'TruncatedFrameError', buffered: input.length - at };
}

export function netstrings(input: string, maxLength: number): Expected {
  const tooLong = { name: 'FrameTooLongError', limit: maxLength };
  return prefixed(
    input,
    (text) => {
      const digits = /^(0|[1-9][0-9]*)?/.exec(text)![0];
      // Only the digits up to the first that is too much count: later ones need not have arrived.
      if (digits !== '' && BigInt(digits) > BigInt(maxLength)) return tooLong;
      const colon = text[digits.length];
      if (colon === undefined) return 'more';
      return colon === ':' && digits !== '' ? [digits.length + 1, Number(digits), 1] : { name: 'FrameError' };
    },
    (comma) => comma === ',',
  );
}

export interface PrefixedModel {
  readonly lengthField: 1 | 2 | 3 | 4 | 8 | 'varint';
  readonly byteOrder: 'big' | 'little';
  readonly offset: number;
  readonly adjustment: number;
  readonly maxLength: number;
}

export function lengthPrefixed(input: string, options: PrefixedModel): Expected {
  const { lengthField, offset, maxLength } = options;
  return prefixed(input, (text) => {
    const rest = text.slice(offset);
    let width = lengthField;
    let value = 0n;
    if (width === 'varint') {
      width = [...rest.slice(0, 10)].findIndex((byte) => byte < '\x80') + 1;
      if (width === 0) return rest.length < 10 ? 'more' : { name: 'FrameError' };
      for (let i = width - 1; i >= 0; i--) value = (value << 7n) | BigInt(rest.charCodeAt(i) & 0x7f);
    } else {
      if (rest.length < width) return 'more';
      const bytes = [...rest.slice(0, width)];
      if (options.byteOrder === 'little') bytes.reverse();
      for (const byte of bytes) value = (value << 8n) | BigInt(byte.charCodeAt(0));
    }
    const length = value + BigInt(options.adjustment);
    if (length < 0n) return { name: 'FrameError' };
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || length > BigInt(maxLength)) {
      return { name: 'FrameTooLongError', limit: maxLength };
    }
    return [offset + width, Number(length), 0];
  });
}
