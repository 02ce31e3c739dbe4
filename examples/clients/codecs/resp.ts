// RESP3, the protocol of Redis, as a codec: https://redis.io/docs/latest/develop/reference/protocol-spec/
import { type Codec, FrameDecoder, FrameError, FrameTooLongError } from '@rxsock/core';

/** A value. A status is a string, and bytes are a Buffer. */
export type Resp =
  | string
  | number
  | bigint
  | boolean
  | null
  | Buffer
  | RespError
  | RespPush
  | readonly Resp[]
  | ReadonlySet<Resp>
  | ReadonlyMap<Resp, Resp>;

/** An error reply. It is a value: the connection goes on. */
export class RespError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** What the server sends without being asked: a published message, a key that has changed. */
export class RespPush {
  readonly items: readonly Resp[];

  constructor(items: readonly Resp[]) {
    this.items = items;
  }
}

export const respCodec: Codec<Resp> = { decoder: () => new RespDecoder(), encode: (value) => encode(value) };

/** A command, as clients send it. */
export function command(...words: readonly (string | Uint8Array)[]): Resp {
  return words.map((word) => Buffer.from(word as string));
}

/** The most bytes of a line, the most bytes and values of a frame, and how deep its values may be nested. */
const LIMITS = { line: 64 * 1024, bytes: 16 * 1024 * 1024, values: 1024 * 1024, depth: 16 };

/** A value that holds others, while they arrive. */
interface Open {
  readonly items: Resp[];
  readonly length: number;
  close(items: readonly Resp[]): Resp;
}

const closers: Record<string, (items: readonly Resp[]) => Resp> = {
  '*': (items) => items,
  '~': (items) => new Set(items),
  '>': (items) => new RespPush(items),
  '%': (items) => new Map(Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i]!, items[2 * i + 1]!])),
};

/** What a line holds that announces bytes, or more values. */
const NOT_YET = Symbol('the value is not complete');

class RespDecoder extends FrameDecoder<Resp> {
  /** How many bytes and how many values of the frame were read. */
  #read = 0;
  #values = 0;
  /** How many bytes of the frame were searched for the end of a line. */
  #searched = 0;
  /** What comes behind the line that was read: so many bytes. */
  #bytes: { readonly type: string; readonly length: number } | undefined;
  /** The values that wait for others, the innermost last. */
  readonly #open: Open[] = [];

  protected override decodeFrame(): Resp | undefined {
    for (;;) {
      const value = this.#bytes ? this.#readBytes(this.#bytes) : this.#readLine();
      if (value === undefined) return this.needMoreBytes('value');
      const frame = value === NOT_YET ? undefined : this.#complete(value);
      if (frame === undefined) continue;
      this.queue.dropFrame(this.#read);
      this.#read = this.#values = this.#searched = 0;
      return frame;
    }
  }

  /** Returns `undefined` if the line has not arrived. */
  #readLine(): Resp | typeof NOT_YET | undefined {
    const { queue } = this;
    const feed = queue.indexOf(LF, this.#searched, this.#read + LIMITS.line);
    if ((feed < 0 ? queue.size : feed) - this.#read > LIMITS.line) throw tooLong('A line', LIMITS.line);
    this.#searched = feed < 0 ? queue.size : feed + 1;
    if (feed < 0) return undefined;
    const start = queue.offset + this.#read;
    const end = queue.offset + feed - 1;
    if (end < start || queue.buffer[end] !== CR) throw new FrameError('A line must end with CR LF');
    const type = start < end ? String.fromCharCode(queue.buffer[start] as number) : '';
    this.#read = this.#searched;
    if (this.#read > LIMITS.bytes) throw tooLong('A frame', LIMITS.bytes);
    const number = NUMBERED.has(type) ? integerIn(queue.buffer, start + 1, end) : undefined;
    if (number === undefined) return valueOfText(type, queue.buffer.toString('utf8', start + 1, end));
    if (type === ':') return number;
    // Null, before RESP3.
    if (number === -1 && (type === '$' || type === '*')) return null;
    return this.#begin(type, number);
  }

  #begin(type: string, length: number): Resp | typeof NOT_YET {
    if (length < 0) throw new FrameError(`${length} is no length`);
    const close = closers[type];
    if (!close) {
      if (this.#read + length > LIMITS.bytes) throw tooLong('A frame', LIMITS.bytes);
      this.#bytes = { type, length };
      return NOT_YET;
    }
    const items = type === '%' ? 2 * length : length;
    this.#values += items;
    if (this.#values > LIMITS.values) throw tooLong('A list', LIMITS.values);
    if (items === 0) return close([]);
    if (this.#open.length === LIMITS.depth) throw new FrameError(`More than ${LIMITS.depth} values in each other`);
    this.#open.push({ items: [], length: items, close });
    return NOT_YET;
  }

  #readBytes({ type, length }: { type: string; length: number }): Resp | undefined {
    const { queue } = this;
    const end = this.#read + length;
    if (!queue.gather(end + 2)) return undefined;
    const { buffer, offset } = queue;
    if (buffer[offset + end] !== CR || buffer[offset + end + 1] !== LF)
      throw new FrameError('Bytes must end with CR LF');
    // A copy: the memory of the chunk is not ours.
    const bytes = queue.copy(this.#read, end);
    this.#bytes = undefined;
    this.#read = this.#searched = end + 2;
    if (type === '!') return new RespError(bytes.toString());
    // A text has its format in front, as "txt:".
    return type === '=' ? bytes.subarray(4) : bytes;
  }

  /** Puts a value into the one that waits for it. Returns the whole frame if none waits any more. */
  #complete(value: Resp): Resp | undefined {
    let item = value;
    for (let open = this.#open.at(-1); open; open = this.#open.at(-1)) {
      open.items.push(item);
      if (open.items.length < open.length) return undefined;
      this.#open.pop();
      item = open.close(open.items);
    }
    return item;
  }
}

const [LF, CR, MINUS, ZERO] = [10, 13, 45, 48];

/** The types whose line holds an integer: the value, or how much comes behind it. */
const NUMBERED: ReadonlySet<string> = new Set(':$=!*~>%');

/** A value that is one line of text. */
function valueOfText(type: string, text: string): Resp {
  if (type === '+') return text;
  if (type === '-') return new RespError(text);
  if (type === '_' && text === '') return null;
  if (type === '#' && /^[tf]$/.test(text)) return text === 't';
  if (type === '(' && /^-?\d+$/.test(text)) return BigInt(text);
  if (type === ',' && /^(-?inf|nan|-?\d+(\.\d*)?(e[+-]?\d+)?)$/i.test(text)) return double(text);
  throw new FrameError(`Not a RESP value: ${type}${text}`);
}

/** Reads an integer of up to 15 digits, without a string for each. */
function integerIn(bytes: Buffer, start: number, end: number): number | undefined {
  const first = bytes[start] === MINUS ? start + 1 : start;
  if (first === end || end - first > 15) return undefined;
  let value = 0;
  for (let at = first; at < end; at++) {
    const digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    value = 10 * value + digit;
  }
  return first === start ? value : -value;
}

function double(text: string): number {
  if (/inf/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(text);
}

function tooLong(what: string, limit: number): FrameTooLongError {
  return new FrameTooLongError(`${what} is longer than ${limit}`, { limit });
}

function encode(value: Resp, depth = 0): Buffer {
  if (value === null) return line('_', '');
  if (typeof value === 'string') return line('+', value);
  if (typeof value === 'boolean') return line('#', value ? 't' : 'f');
  if (typeof value === 'bigint') return line('(', `${value}`);
  if (typeof value === 'number') return encodeNumber(value);
  if (Buffer.isBuffer(value)) return Buffer.concat([line('$', `${value.length}`), value, Buffer.from('\r\n')]);
  if (value instanceof RespError) return line('-', value.message);
  if (depth === LIMITS.depth) throw refused(`More than ${LIMITS.depth} values in each other`);
  const list = (type: string, length: number, items: Iterable<Resp>) =>
    Buffer.concat([line(type, `${length}`), ...Array.from(items, (item) => encode(item, depth + 1))]);
  if (value instanceof RespPush) return list('>', value.items.length, value.items);
  if (value instanceof Set) return list('~', value.size, value);
  if (value instanceof Map) return list('%', value.size, [...value].flat());
  const items = value as readonly Resp[];
  return list('*', items.length, items);
}

function encodeNumber(value: number): Buffer {
  if (Number.isInteger(value) && Math.abs(value) < 1e15 && !Object.is(value, -0)) return line(':', `${value}`);
  return line(',', Object.is(value, -0) ? '-0' : `${value}`.replace('Infinity', 'inf').replace('NaN', 'nan'));
}

function line(type: string, text: string): Buffer {
  if (/[\r\n]/.test(text)) throw refused('A line cannot hold CR or LF: send bytes');
  return Buffer.from(`${type}${text}\r\n`);
}

function refused(message: string): FrameError {
  return new FrameError(message, { phase: 'write' });
}

/** A value as text to read. */
export function format(value: Resp): string {
  if (Buffer.isBuffer(value)) return JSON.stringify(value.toString());
  if (value instanceof RespError) return `(error) ${value.message}`;
  if (value instanceof RespPush) return value.items.map(format).join(' ');
  if (value instanceof Map)
    return `{ ${[...value].map(([key, item]) => `${format(key)}: ${format(item)}`).join(', ')} }`;
  if (value instanceof Set || Array.isArray(value)) return `[${Array.from(value, format).join(', ')}]`;
  return value === null ? '(nothing)' : String(value);
}
