// verifyCodec must pass good codecs, and find what is wrong with bad ones: each of these breaks one law.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameError } from '../../src/base/errors.js';
import type { Codec, Decoder } from '../../src/framing/codec.js';
import { linesCodec } from '../../src/framing/lines.js';
import { netstringsCodec } from '../../src/framing/netstrings.js';
import { chunkings, delimiterRichBytes, verifyCodec } from '../../src/testing/index.js';

/** Length in one byte, payload; 0xff is no length. Decodes from all its bytes, and so is simple. */
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

/** The error of a decoder must stay the same one. */
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

test('good codecs pass', () => {
  // Any bytes are a frame to it: a length, and up to 255 bytes.
  verifyCodec(codecOf(Good), { values, limit: 256 });
  verifyCodec(linesCodec(), { values: fc.string({ unit: 'grapheme' }).filter((line) => !/\n|\r$/.test(line)) });
  verifyCodec(netstringsCodec({ maxLength: 30 }), {
    values: values.map((bytes) => Buffer.from(bytes)),
    inputs: delimiterRichBytes(['3:', ',', '12:']),
    limit: 33,
  });
});

describe('finds', () => {
  test('an error that is a new one each time', () => {
    expect(verify(codecOf(Plain)).message).toMatch(/an error stays/);
  });

  test('a frame that depends on the cut', () => {
    class Broken extends Good {
      override push(chunk: Uint8Array): void {
        // As readline does: what is there is taken for whole after a while.
        if (this.bytes.length === 3 && this.bytes[0]! > 2) this.bytes[0] = 2;
        super.push(chunk);
      }
    }
    expect(verify(codecOf(Broken)).message).toMatch(/round trip|chunking changes nothing/);
  });

  test('an error whose message depends on the cut', () => {
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
    expect(verify(codecOf(Broken)).message).toMatch(/chunking changes nothing.*in chunk/);
  });

  test('a value that does not come back', () => {
    const codec = codecOf(Good);
    const broken = { ...codec, encode: (value: Uint8Array) => codec.encode(value.map((byte) => byte & 0x7f)) };
    expect(verify(broken).message).toMatch(/round trip.*Frame \d is/);
  });

  test('a value that is refused', () => {
    const refuse = () => {
      throw new RangeError('too odd');
    };
    expect(verify({ ...codecOf(Good), encode: refuse }).message).toMatch(/round trip.*refused.*too odd/);
  });

  test('frames that are lost before a bad one', () => {
    class Broken extends Good {
      override next(): Uint8Array | undefined {
        if (this.bytes.includes(0xff)) this.failure ??= new FrameError('There is an 0xff');
        return super.next();
      }
    }
    const codec = codecOf(Broken);
    const run = () =>
      verifyCodec(codec, { values: fc.uint8Array({ max: 9, maxLength: 3 }), inputs: fc.constant(Uint8Array.of(0xff)) });
    expect(run).toThrow(/frames before a bad one come first|chunking changes nothing/);
  });

  test('a frame that refers to the chunk', () => {
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
    expect(verify(codecOf(Broken)).message).toMatch(/a frame owns its memory/);
  });

  test('a chunk that is still referred to when next() has given undefined', () => {
    class Broken extends Good {
      override push(chunk: Uint8Array): void {
        if (this.bytes.length > 0) super.push(chunk);
        else this.bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      }
    }
    expect(verify(codecOf(Broken)).message).toMatch(/Law broken/);
  });

  test('a rest that leaves something out', () => {
    class Broken extends Good {
      override rest(): Uint8Array {
        return super.rest().subarray(0, 5);
      }
    }
    expect(verify(codecOf(Broken)).message).toMatch(/rest\(\)/);
  });

  test('a rest that can be had once', () => {
    class Broken extends Good {
      override rest(): Uint8Array {
        const rest = super.rest();
        this.bytes = Buffer.alloc(0);
        return rest;
      }
    }
    expect(verify(codecOf(Broken)).message).toMatch(/Law broken/);
  });

  test('more bytes kept than the limit', () => {
    expect(verify(codecOf(Good), { limit: 5 }).message).toMatch(/retained bytes are bounded.*limit is 5/);
  });

  test('a frame after the end', () => {
    class Broken extends Good {
      extra = 2;

      override next(): Uint8Array | undefined {
        const frame = super.next();
        return frame === undefined && this.ended && this.extra-- === 1 ? new Uint8Array() : frame;
      }
    }
    expect(verify(codecOf(Broken)).message).toMatch(/there is one end/);
  });
});

test('a failure says the counterexample, the seed and the path, with which it comes again at once', () => {
  const broken = { ...codecOf(Good), encode: (value: Uint8Array) => Buffer.from(value) };
  const first = verify(broken, { seed: 7 });
  const path = /path: "([\d:]+)"/.exec(first.message)?.[1];
  expect(first.message).toContain('seed: 7');
  expect(first.message).toContain('Counterexample: ');
  expect(path).toBeDefined();
  const again = verify(broken, { seed: 7, path: path! });
  expect(again.message.split('\n')[0]).toBe(first.message.split('\n')[0]);
  expect(again.message).toContain('after 1 tests');
});

describe('the arbitraries', () => {
  const bytes = Buffer.from('0123456789abcdef');
  const sample = fc.sample(chunkings(bytes), { numRuns: 500, seed: 1 });

  test('chunkings are the bytes, and none is over the memory of another or of the bytes', () => {
    for (const chunks of sample) expect(Buffer.concat(chunks)).toEqual(bytes);
    expect(new Set(sample.map((chunks) => chunks[0]?.buffer)).size).toBe(500);
    for (const [first] of sample) first?.fill(0);
    expect(String(bytes)).toBe('0123456789abcdef');
  });

  test('chunkings hold the extremes: one chunk, one byte at a time, empty chunks, every place', () => {
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

  test('delimiterRichBytes are rich in delimiters, and in their parts', () => {
    const texts = fc
      .sample(delimiterRichBytes(['\r\n', 'END']), { numRuns: 300, seed: 1 })
      .map((b) => Buffer.from(b).toString('latin1'));
    for (const part of ['\r\n\r\n', '\r\r\n', 'END\r', 'ENEND', '\n\r', '\xff', '\xef\xbb\xbf']) {
      expect(texts.filter((text) => text.includes(part)).length, JSON.stringify(part)).toBeGreaterThan(3);
    }
    expect(texts).toContain('');
  });
});
