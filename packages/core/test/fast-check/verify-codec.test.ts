// verifyCodec() must accept good codecs and find the fault in bad ones. Each bad codec here breaks one law.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameError } from '../../src/base/errors.js';
import { chunkings, delimiterRichBytes, verifyCodec } from '../../src/fast-check/index.js';
import { sameValue } from '../../src/fast-check/same-value.js';
import type { Codec, Decoder } from '../../src/framing/codec.js';
import { jsonLinesCodec } from '../../src/framing/json-lines.js';
import { lengthPrefixedCodec } from '../../src/framing/length-prefixed.js';
import { linesCodec } from '../../src/framing/lines.js';
import { netstringsCodec } from '../../src/framing/netstrings.js';

/**
 * Frames: one byte of length, then the payload. The length 0xff is invalid. Keeps all its bytes and decodes from them,
 * which keeps it simple.
 */
class Plain implements Decoder<Uint8Array> {
  bytes: Buffer = Buffer.alloc(0);
  ended = false;

  push(chunk: Uint8Array): void {
    this.bytes = Buffer.concat([this.bytes, chunk]);
  }

  next(): Uint8Array | undefined {
    const length = this.bytes[0];
    if (length === 0xff) throw new FrameError('No length', {});
    if (length === undefined || this.bytes.length <= length) {
      if (this.ended && length !== undefined) throw new FrameError('Not whole', {});
      return undefined;
    }
    const frame = Uint8Array.from(this.bytes.subarray(1, length + 1));
    this.bytes = this.bytes.subarray(length + 1);
    return frame;
  }

  end(): void {
    this.ended = true;
  }

  rest(): Uint8Array {
    return Buffer.from(this.bytes);
  }
}

/** A decoder that has failed must throw the same error again. */
class Good extends Plain {
  failure: unknown;

  override next(): Uint8Array | undefined {
    if (this.failure !== undefined) throw this.failure;
    try {
      return super.next();
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }
}

const values = fc.uint8Array({ maxLength: 20 });

function fail(): never {
  throw new RangeError('too odd');
}

function codecOf(Class: new () => Decoder<Uint8Array>): Codec<Uint8Array> {
  return { decoder: () => new Class(), encode: (value) => Buffer.concat([Buffer.of(value.length), value]) };
}

function verify(codec: Codec<Uint8Array>, options: { seed?: number; path?: string; limit?: number } = {}): Error {
  try {
    verifyCodec(codec, { values, numRuns: 500, ...options });
  } catch (error) {
    return error as Error;
  }
  return new Error('It passed.');
}

describe('accepts', () => {
  test('a codec for which every input is valid', () => {
    // A length, then up to 255 bytes.
    verifyCodec(codecOf(Good), { values, limit: 256 });
  });

  test('lines', () => {
    verifyCodec(linesCodec(), { values: fc.string({ unit: 'grapheme' }).filter((line) => !/\n|\r$/.test(line)) });
  });

  test('a long frame that is followed by short ones, though their time leaps up', () => {
    // The longest varint that is tried is a frame of 1 MiB. It is copied at once, and what follows is many frames.
    verifyCodec(lengthPrefixedCodec({ lengthField: 'varint' }), { values: values.map((bytes) => Buffer.from(bytes)) });
  });

  test('netstrings with a limit', () => {
    verifyCodec(netstringsCodec({ maxLength: 30 }), {
      values: values.map((bytes) => Buffer.from(bytes)),
      inputs: delimiterRichBytes(['3:', ',', '12:']),
      limit: 33,
    });
  });
});

describe('verifyCodec() detects', () => {
  test('a new error object at each call', () => {
    expect(verify(codecOf(Plain)).message).toMatch(/law "stable error": .*same error object/);
  });

  test('a frame that depends on the chunking', () => {
    class Broken extends Good {
      override push(chunk: Uint8Array): void {
        // As readline does: it takes a partial line for a whole one after some time.
        if (this.bytes.length === 3 && this.bytes[0]! > 2) this.bytes[0] = 2;
        super.push(chunk);
      }
    }
    expect(verify(codecOf(Broken)).message).toMatch(/law "(round trip|chunking)"/);
  });

  test('an error message that depends on the chunking', () => {
    class Broken extends Good {
      pushes = 0;

      override push(chunk: Uint8Array): void {
        this.pushes++;
        super.push(chunk);
      }

      override next(): Uint8Array | undefined {
        try {
          return super.next();
        } catch (error) {
          if (!(error as Error).message.includes('chunk')) (error as Error).message += ` in chunk ${this.pushes}`;
          throw error;
        }
      }
    }
    expect(verify(codecOf(Broken)).message).toMatch(
      /law "chunking".*gave: +FrameError: Not whole in chunk.*instead of: +FrameError: Not whole in chunk/s,
    );
  });

  test('a value that does not survive encoding and decoding', () => {
    const codec = codecOf(Good);
    const broken = { ...codec, encode: (value: Uint8Array) => codec.encode(value.map((byte) => byte & 0x7f)) };
    expect(verify(broken).message).toMatch(/law "round trip".*gave: +frame \d = .*instead of: +frame \d = /s);
  });

  test('a value that encode() refuses', () => {
    expect(verify({ ...codecOf(Good), encode: fail }).message).toMatch(
      /law "round trip".*gave: +RangeError: too odd\n {2}instead of: +bytes from encode\(\)/s,
    );
  });

  test('frames lost before a bad one', () => {
    class Broken extends Good {
      override next(): Uint8Array | undefined {
        if (this.bytes.includes(0xff)) this.failure ??= new FrameError('There is an 0xff');
        return super.next();
      }
    }
    const codec = codecOf(Broken);
    const run = () =>
      verifyCodec(codec, { values: fc.uint8Array({ max: 9, maxLength: 3 }), inputs: fc.constant(Uint8Array.of(0xff)) });
    expect(run).toThrow(/law "(order|chunking)"/);
  });

  test('a frame that shares memory with the chunk', () => {
    class Broken extends Good {
      override push(chunk: Uint8Array): void {
        if (this.bytes.length > 0) super.push(chunk);
        else this.bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      }

      override next(): Uint8Array | undefined {
        const { bytes } = this;
        const frame = super.next();
        return frame && bytes.subarray(1, 1 + frame.length);
      }
    }
    expect(verify(codecOf(Broken)).message).toMatch(/law "memory": a frame does not share memory with a chunk/);
  });

  test('a chunk that is still referenced after next() returned undefined', () => {
    class Broken extends Good {
      override push(chunk: Uint8Array): void {
        if (this.bytes.length > 0) super.push(chunk);
        else this.bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      }
    }
    expect(verify(codecOf(Broken)).message).toMatch(
      /law "memory": a chunk may be overwritten once next\(\) has returned undefined/,
    );
  });

  test('a rest() that omits bytes', () => {
    class Broken extends Good {
      override rest(): Uint8Array {
        return super.rest().subarray(0, 5);
      }
    }
    expect(verify(codecOf(Broken)).message).toMatch(/law "rest": .*rest\(\) together are the input/);
  });

  test('a rest() that can be read only once', () => {
    class Broken extends Good {
      override rest(): Uint8Array {
        const rest = super.rest();
        this.bytes = Buffer.alloc(0);
        return rest;
      }
    }
    expect(verify(codecOf(Broken)).message).toMatch(/law "rest": .*calling it changes nothing/);
  });

  test('more buffered bytes than the limit', () => {
    expect(verify(codecOf(Good), { limit: 5 }).message).toMatch(
      /law "memory": .*limit.*gave: +6 bytes after 1 chunk\n {2}instead of: +at most 5 bytes, the limit/s,
    );
  });

  test('a frame after end()', () => {
    class Broken extends Good {
      extra = 2;

      override next(): Uint8Array | undefined {
        const frame = super.next();
        return frame === undefined && this.ended && this.extra-- === 1 ? new Uint8Array() : frame;
      }
    }
    expect(verify(codecOf(Broken)).message).toMatch(/law "one end"/);
  });

  test('a frame that uses up no input and is returned for ever', () => {
    class Broken extends Good {
      override next(): Uint8Array | undefined {
        return this.bytes[0] === 0 ? new Uint8Array() : super.next();
      }
    }
    expect(verify(codecOf(Broken)).message).toMatch(/law "progress": .*instead of: +at most \d+ frames\n/s);
  });

  test("a rest() that returns the decoder's own memory", () => {
    class Broken extends Good {
      override rest(): Uint8Array {
        return this.bytes;
      }
    }
    expect(verify(codecOf(Broken)).message).toMatch(/law "rest": rest\(\) returns a copy.*were overwritten/s);
  });

  test.each([
    ['a string', 'ab', '"ab"'],
    ['null', null, 'null'],
  ])('a rest() that returns %s', (_name, rest, shown) => {
    class Broken extends Good {
      override rest(): Uint8Array {
        return rest as never;
      }
    }
    const { message } = verify(codecOf(Broken));
    expect(message).toMatch(/law "rest": .*instead of: +rest\(\) returns a Uint8Array/s);
    expect(message).toContain(`gave:        rest() returns ${shown}\n`);
  });

  test('a rest() that throws', () => {
    class Broken extends Good {
      override rest(): Uint8Array {
        return fail();
      }
    }
    expect(verify(codecOf(Broken)).message).toMatch(/law "rest": .*gave: +RangeError: too odd/s);
  });

  test.each<[string, object, string]>([
    ['no decoder()', { decoder: undefined }, 'TypeError: codec.decoder is not a function'],
    ['a decoder() that throws', { decoder: fail }, 'RangeError: too odd'],
    ['a decoder() that returns nothing', { decoder: () => undefined }, 'decoder() returns undefined'],
    ['no rest()', { decoder: () => Object.assign(new Good(), { rest: undefined }) }, 'rest is undefined'],
  ])('%s', (_name, part, received) => {
    const { message } = verify({ ...codecOf(Good), ...part });
    expect(message).toContain('law "decoder": ');
    expect(message).toContain(`gave:        ${received}\n`);
  });
});

test.each([null, undefined, 'lines', []])('rejects %o as a codec', (codec) => {
  expect(() => verifyCodec(codec as never, { values })).toThrow(TypeError);
});

test('a failure shows the bytes, how they were cut, what was expected and what was received', () => {
  class Broken extends Good {
    override push(chunk: Uint8Array): void {
      if (this.bytes.length > 0) this.failure = new FrameError('Cut inside a frame');
      super.push(chunk);
    }
  }
  const lone = { ...codecOf(Broken), decoder: () => new Broken() };
  const run = () => verifyCodec(lone, { values: fc.constant(Buffer.from('ab')), inputs: fc.constant(Buffer.of()) });
  expect(
    run,
  ).toThrow(`The codec breaks the law "chunking": frames, error and rest() do not depend on how the input was cut

  these bytes: 02|61 62 "\\x02|ab" (3 bytes, cut at | into 2 chunks)
  gave:        no frame and FrameError: Cut inside a frame {"code":"ERR_FRAME_MALFORMED","phase":"read"}
  instead of:  frame 0 = 61 62 "ab" (2 bytes), as in one chunk
`);
});

test('an object without a prototype equals a plain object, and a Buffer a Uint8Array, at any depth', () => {
  const objects = fc.dictionary(fc.string(), fc.dictionary(fc.string(), fc.nat(), { maxKeys: 2 }), { maxKeys: 2 });
  verifyCodec(jsonLinesCodec(), { values: objects });
  const strictly = () => verifyCodec(jsonLinesCodec(), { values: objects, equals: isDeepStrictEqual });
  expect(strictly).toThrow(/law "round trip".*instead of: +frame 0 = [^\n]*__proto__:null/s);
  const withoutPrototype = Object.assign(Object.create(null), { list: [Object.create(null)] });
  expect(isDeepStrictEqual(withoutPrototype, { list: [{}] })).toBe(false);
  expect(sameValue(withoutPrototype, { list: [{}] })).toBe(true);
  expect(sameValue([{ bytes: Buffer.from('a') }], [{ bytes: Uint8Array.of(97) }])).toBe(true);
  expect(sameValue(JSON.parse('{"__proto__":1}'), Object.assign(Object.create(null), { ['__proto__']: 1 }))).toBe(true);
  const circle: { self?: unknown } = {};
  circle.self = circle;
  expect(sameValue(circle, circle)).toBe(true);
});

test.each([
  [{ a: 1 }, { a: 2 }],
  [{ a: 1 }, {}],
  [{ a: undefined }, {}],
  [{}, []],
  [[1], [1, 2]],
  [new Array(1), [undefined]],
  [JSON.parse('{"__proto__":1}'), {}],
  [{ [Symbol.iterator]: 1 }, {}],
  [new Date(0), {}],
  [new Date(0), new Date(1)],
  [new Map([[1, 2]]), new Map([[1, 3]])],
  [new (class Line {})(), {}],
  [0, -0],
  [Buffer.from('a'), 'a'],
  [Buffer.from('a'), [97]],
])('%o does not equal %o', (a, b) => {
  expect(sameValue(a, b)).toBe(false);
  expect(sameValue({ nested: a }, { nested: b })).toBe(false);
});

test('a failure reports the counterexample, and the seed and path that reproduce it at once', () => {
  const broken = { ...codecOf(Good), encode: (value: Uint8Array) => Buffer.from(value) };
  const first = verify(broken, { seed: 7 });
  const path = /path: "([\d:]+)"/.exec(first.message)?.[1];
  expect(first.message).toContain('seed: 7');
  expect(path).toBeDefined();
  const again = verify(broken, { seed: 7, path: path! });
  const story = ({ message }: Error) => message.split('\n\n').slice(0, 2);
  expect(story(again)).toEqual(story(first));
  expect(again.message).toContain('Found in case 1, and made smaller 0 times.');
});

describe('the arbitraries', () => {
  const bytes = Buffer.from('0123456789abcdef');
  const sample = fc.sample(chunkings(bytes), { numRuns: 500, seed: 1 });

  test('chunkings() yields the given bytes, in chunks that share no memory with each other or with the input', () => {
    for (const chunks of sample) expect(Buffer.concat(chunks)).toEqual(bytes);
    expect(new Set(sample.map((chunks) => chunks[0]?.buffer)).size).toBe(500);
    for (const [first] of sample) first?.fill(0);
    expect(String(bytes)).toBe('0123456789abcdef');
  });

  test('chunkings() includes the extremes: one chunk, single bytes, empty chunks, a cut at every position', () => {
    expect(sample.filter((chunks) => chunks.length === 1).length).toBeGreaterThan(20);
    expect(
      sample.filter((chunks) => chunks.length === 16 && chunks.every((c) => c.length === 1)).length,
    ).toBeGreaterThan(20);
    expect(sample.filter((chunks) => chunks.some((c) => c.length === 0)).length).toBeGreaterThan(20);
    expect(new Set(sample.map((chunks) => chunks[0]!.length)).size).toBe(17);
    expect(fc.sample(chunkings(new Uint8Array()), { numRuns: 50 }).every((c) => Buffer.concat(c).length === 0)).toBe(
      true,
    );
  });

  test('delimiterRichBytes() contains many delimiters and parts of delimiters', () => {
    const texts = fc
      .sample(delimiterRichBytes(['\r\n', 'END']), { numRuns: 300, seed: 1 })
      .map((b) => Buffer.from(b).toString('latin1'));
    for (const part of ['\r\n\r\n', '\r\r\n', 'END\r', 'ENEND', '\n\r', '\xff', '\xef\xbb\xbf']) {
      expect(texts.filter((text) => text.includes(part)).length, JSON.stringify(part)).toBeGreaterThan(3);
    }
    expect(texts).toContain('');
  });
});
