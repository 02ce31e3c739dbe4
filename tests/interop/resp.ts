// RESP, the protocol of Redis, as a custom codec, written only with what @rxsock/core exports.
// https://redis.io/docs/latest/develop/reference/protocol-spec/
import { type Codec, type Decoder, FrameError, FrameTooLongError, TruncatedFrameError } from '@rxsock/core';

/** An error reply. It is a value: the connection continues. */
export class RespError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** What the server sends unrequested (RESP3): a published message. */
export class RespPush {
  readonly items: readonly Resp[];

  constructor(items: readonly Resp[]) {
    this.items = items;
  }
}

/** A status is a string, bytes are a Buffer. */
export type Resp = string | number | Buffer | null | RespError | RespPush | readonly Resp[] | ReadonlyMap<Resp, Resp>;

/** The largest number of bytes in a line and in a string, and the deepest nesting of values. */
const LIMITS = { line: 64 * 1024, bytes: 16 * 1024 * 1024, items: 1024 * 1024, depth: 16 };

export const respCodec: Codec<Resp> = { decoder: () => new RespDecoder(), encode: (value) => encode(value) };

/** A command as clients send it. */
export function command(...words: readonly (string | Buffer)[]): Resp {
  return words.map((word) => Buffer.from(word as string));
}

function encode(value: Resp): Buffer {
  if (value === null) return Buffer.from('$-1\r\n');
  if (typeof value === 'string') return line('+', value);
  if (typeof value === 'number') return line(':', String(value));
  if (value instanceof RespError) return line('-', value.message);
  if (Buffer.isBuffer(value)) return Buffer.concat([line('$', String(value.length)), value, Buffer.from('\r\n')]);
  if (value instanceof RespPush)
    return Buffer.concat([line('>', String(value.items.length)), ...value.items.map(encode)]);
  if (value instanceof Map) return Buffer.concat([line('%', String(value.size)), ...[...value].flat().map(encode)]);
  const items = value as readonly Resp[];
  return Buffer.concat([line('*', String(items.length)), ...items.map(encode)]);
}

function line(type: string, text: string): Buffer {
  if (/[\r\n]/.test(text)) throw new FrameError('A line cannot hold CR or LF: send bytes.', { phase: 'write' });
  return Buffer.from(`${type}${text}\r\n`);
}

/** An array, a map or a push whose items are still to come. */
interface Open {
  readonly items: Resp[];
  readonly count: number;
  close(items: Resp[]): Resp;
}

const closers: Record<string, (items: Resp[]) => Resp> = {
  '*': (items) => items,
  '>': (items) => new RespPush(items),
  '%': (items) => new Map(Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i]!, items[2 * i + 1]!])),
};

class RespDecoder implements Decoder<Resp> {
  /**
   * The bytes from `from` to `to` were pushed and not decoded yet. The memory doubles, so that a byte is rarely moved.
   */
  #memory = Buffer.alloc(0);
  #from = 0;
  #to = 0;
  /** Where the next token of the frame starts, and how far its line has been searched. */
  #at = 0;
  #searched = 0;
  /** The length of a string whose length line has been read. */
  #bytes: number | undefined;
  #open: Open[] = [];
  #ended = false;
  #failure: unknown;

  push(chunk: Uint8Array): void {
    if (this.#failure) throw this.#failure;
    if (this.#ended) throw new Error('The input has ended.');
    if (this.#to + chunk.length > this.#memory.length) this.#makeRoom(chunk.length);
    this.#memory.set(chunk, this.#to);
    this.#to += chunk.length;
  }

  next(): Resp | undefined {
    if (this.#failure) throw this.#failure;
    try {
      for (;;) {
        const value = this.#token();
        if (value === undefined) break;
        const frame = this.#put(value);
        if (frame === undefined) continue;
        this.#from = this.#at;
        return frame;
      }
      const buffered = this.#to - this.#from;
      if (this.#ended && buffered > 0) throw new TruncatedFrameError('The input ended inside a value', { buffered });
      return undefined;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  end(): void {
    this.#ended = true;
  }

  rest(): Uint8Array {
    return Uint8Array.from(this.#memory.subarray(this.#from, this.#to));
  }

  /** The next scalar, or an aggregate that has just started; `undefined` if more bytes are needed. */
  #token(): Resp | Open | undefined {
    if (this.#bytes !== undefined) return this.#string(this.#bytes);
    if (this.#at === this.#to) return undefined;
    const type = String.fromCharCode(this.#memory[this.#at]!);
    if (!'+-:$*>%_'.includes(type)) throw new FrameError(`No RESP value begins with ${JSON.stringify(type)}`);
    const text = this.#line();
    if (text === undefined) return undefined;
    if (type === '+') return text;
    if (type === '-') return new RespError(text);
    if (type === '_') return null;
    if (!/^-?\d{1,15}$/.test(text)) throw new FrameError(`${JSON.stringify(text)} is no number`);
    const number = Number(text);
    if (type === ':') return number;
    if (number === -1 && (type === '$' || type === '*')) return null;
    const close = closers[type];
    if (number < 0) throw new FrameError(`${number} is no length`);
    const limit = close ? LIMITS.items : LIMITS.bytes;
    if (number > limit) throw new FrameTooLongError(`${number} is more than ${limit}`, { limit });
    if (!close) return this.#string(number);
    if (this.#open.length === LIMITS.depth) throw new FrameError(`More than ${LIMITS.depth} values in each other`);
    return { items: [], count: type === '%' ? 2 * number : number, close };
  }

  #line(): string | undefined {
    const end = this.#memory.subarray(0, this.#to).indexOf('\r\n', Math.max(this.#searched - 1, this.#at), 'latin1');
    const length = (end < 0 ? this.#to - 1 : end) - this.#at;
    if (length > LIMITS.line) throw new FrameTooLongError('A line is too long', { limit: LIMITS.line });
    if (end < 0) {
      this.#searched = this.#to;
      return undefined;
    }
    const text = this.#memory.toString('utf8', this.#at + 1, end);
    this.#at = end + 2;
    return text;
  }

  #string(length: number): Buffer | undefined {
    this.#bytes = length;
    const end = this.#at + length;
    if (this.#to < end + 2) return undefined;
    if (this.#memory.toString('latin1', end, end + 2) !== '\r\n') throw new FrameError('No CRLF behind a string');
    this.#bytes = undefined;
    const bytes = Buffer.allocUnsafeSlow(length);
    this.#memory.copy(bytes, 0, this.#at, end);
    this.#at = end + 2;
    return bytes;
  }

  /** Puts a value into the aggregate that waits for it. Returns the frame when it is complete. */
  #put(value: Resp | Open): Resp | undefined {
    let item = value;
    for (;;) {
      if (isOpen(item)) {
        if (item.items.length < item.count) {
          this.#open.push(item);
          return undefined;
        }
        item = item.close(item.items);
      }
      const parent = this.#open.pop();
      if (!parent) return item;
      parent.items.push(item);
      item = parent;
    }
  }

  #makeRoom(length: number): void {
    const used = this.#to - this.#from;
    const memory = Buffer.allocUnsafeSlow(2 * (used + length));
    this.#memory.copy(memory, 0, this.#from, this.#to);
    this.#memory = memory;
    this.#at -= this.#from;
    this.#searched = Math.max(0, this.#searched - this.#from);
    this.#to = used;
    this.#from = 0;
  }
}

function isOpen(value: Resp | Open): value is Open {
  return typeof value === 'object' && value !== null && 'close' in value;
}
