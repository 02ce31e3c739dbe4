// The rules that every decoder keeps, whatever its format.
import { describe, expect, test } from 'vitest';
import { chunksCodec } from '../../src/framing/chunks.js';
import type { Codec } from '../../src/framing/codec.js';
import { delimitedCodec } from '../../src/framing/delimited.js';
import { fixedLengthCodec } from '../../src/framing/fixed-length.js';
import { jsonLinesCodec } from '../../src/framing/json-lines.js';
import { lengthPrefixedCodec } from '../../src/framing/length-prefixed.js';
import { linesCodec } from '../../src/framing/lines.js';
import { netstringsCodec } from '../../src/framing/netstrings.js';
import { wholeInputCodec } from '../../src/framing/whole-input.js';
import { cuts, decodeBytes, pullAll } from './support.js';

interface Format {
  readonly codec: Codec<unknown>;
  /** Three good frames. */
  readonly frames: readonly [string, string, string];
  /** Bytes that no correct peer sends. Undefined if any bytes are valid frames. */
  readonly bad?: string;
}

const formats: Record<string, Format> = {
  lines: { codec: linesCodec({ maxLength: 20 }), frames: ['ä€😀\r\n', '\n', 'line three\n'], bad: 'x'.repeat(30) },
  delimited: { codec: delimitedCodec('--', { maxLength: 20 }), frames: ['a-b--', '--', 'c--'], bad: 'x'.repeat(30) },
  lengthPrefixed: {
    codec: lengthPrefixedCodec({ lengthField: 1, maxLength: 9 }),
    frames: ['\x02ab', '\0', '\x01c'],
    bad: '\x0a',
  },
  fixedLength: { codec: fixedLengthCodec(3), frames: ['abc', 'def', 'ghi'] },
  netstrings: { codec: netstringsCodec(), frames: ['2:ab,', '0:,', '1:c,'], bad: '1:cc' },
  jsonLines: { codec: jsonLinesCodec(), frames: ['{"a":"€"}\n', '1\n', 'null\n'], bad: 'nil\n' },
};

test.each([
  ['lengthPrefixed', lengthPrefixedCodec({ lengthField: 1 })],
  ['fixedLength', fixedLengthCodec(1)],
  ['netstrings', netstringsCodec()],
  ['delimited', delimitedCodec('--')],
])('the encoder of %s refuses what is neither a string nor bytes', (_, codec) => {
  for (const value of [undefined, null, 7, [65], new Uint16Array(1), new ArrayBuffer(1)])
    expect(() => codec.encode(value as never)).toThrow(/^A payload must be a string or a Uint8Array, not /);
});

test('the encoder of lines refuses what is not a string', () => {
  for (const value of [undefined, null, 7, Buffer.from('a')])
    expect(() => linesCodec().encode(value as never)).toThrow(TypeError);
});

test('the whole input is one frame of at most the limit, and no bytes are no frame', () => {
  const codec = wholeInputCodec(3);
  for (const chunks of cuts('abc')) expect(decodeBytes(codec, ...chunks)).toMatchObject({ frames: ['abc'], rest: '' });
  for (const chunks of cuts('abcd')) {
    const { frames, error } = decodeBytes(codec, ...chunks);
    expect({ frames, error }).toMatchObject({ frames: [], error: { code: 'ERR_FRAME_TOO_LONG', limit: 3 } });
  }
  expect(decodeBytes(codec)).toEqual({ frames: [], error: undefined, rest: '' });
  const decoder = codec.decoder();
  decoder.push(Buffer.from('a'));
  expect(decoder.next()).toBeUndefined();
});

test('without a format, a frame is whatever has arrived', () => {
  const decoder = chunksCodec.decoder();
  expect(decoder.next()).toBeUndefined();
  for (const chunk of ['a', 'bc']) decoder.push(Buffer.from(chunk));
  expect(String(decoder.next())).toBe('abc');
  expect(decoder.next()).toBeUndefined();
  decoder.push(Buffer.from('d'));
  decoder.end();
  expect(String(decoder.next())).toBe('d');
  expect(decoder.next()).toBeUndefined();
});

describe.each(Object.entries(formats))('%s', (_, { codec, frames, bad }) => {
  const whole = Buffer.from(frames.join(''));
  const rest = (decoder: { rest(): Uint8Array }) => String(Buffer.from(decoder.rest()));

  test('rest() is exact wherever decoding stops, and reading it changes nothing', () => {
    const expected = pullAll(decoderOf(whole));
    expect(expected).toHaveLength(3);
    const decoder = decoderOf(whole);
    expect(rest(decoder)).toBe(frames.join(''));
    for (let taken = 1; taken <= 3; taken++) {
      expect(decoder.next()).toEqual(expected[taken - 1]);
      expect(rest(decoder)).toBe(frames.slice(taken).join(''));
      expect(rest(decoder)).toBe(frames.slice(taken).join(''));
    }
    decoder.push(Buffer.from(frames[2]).subarray(0, -1));
    expect(decoder.next()).toBeUndefined();
    expect(rest(decoder)).toBe(frames[2].slice(0, -1));
  });

  test('several chunks may be pushed before a frame is taken, also after part of a chunk was decoded', () => {
    const decoder = codec.decoder();
    const taken: unknown[] = [];
    for (let round = 0; round < 3; round++) {
      for (const byte of whole) decoder.push(Uint8Array.of(byte));
      taken.push(decoder.next());
      decoder.push(new Uint8Array());
    }
    taken.push(...pullAll(decoder));
    const once = pullAll(decoderOf(whole));
    expect(taken).toEqual([...once, ...once, ...once]);
    expect(decoder.rest()).toHaveLength(0);
  });

  test('the memory of a chunk may be reused after next() returned undefined', () => {
    const decoder = codec.decoder();
    const memory = new Uint8Array(7);
    const taken: unknown[] = [];
    for (let at = 0; at < whole.length; at += 5) {
      const bytes = whole.subarray(at, at + 5);
      memory.set(bytes, 1);
      decoder.push(memory.subarray(1, 1 + bytes.length));
      taken.push(...pullAll(decoder));
      memory.fill(0xa5);
    }
    expect(taken).toEqual(pullAll(decoderOf(whole)));
  });

  test('next() returns nothing after the end', () => {
    const decoder = decoderOf(whole);
    decoder.end();
    decoder.end();
    expect(pullAll(decoder)).toHaveLength(3);
    expect(decoder.next()).toBeUndefined();
    expect(() => decoder.push(whole)).toThrow(/begin a new decoder/);
    expect(decoder.next()).toBeUndefined();
  });

  test('end() without input yields nothing and is not an error', () => {
    const decoder = codec.decoder();
    decoder.end();
    expect(decoder.next()).toBeUndefined();
  });

  test('push() accepts only bytes', () => {
    expect(() => codec.decoder().push('text' as never)).toThrow(TypeError);
    expect(() => codec.decoder().push(new Uint16Array(2) as never)).toThrow(TypeError);
  });

  test('every decoder starts a new input', () => {
    const first = codec.decoder();
    first.push(whole.subarray(0, whole.length - 1));
    pullAll(first);
    expect(pullAll(decoderOf(whole))).toHaveLength(3);
  });

  if (bad !== undefined)
    test('an error comes after the frames before it, stays, and keeps the bad bytes', () => {
      const decoder = codec.decoder();
      const chunk = Buffer.from(`${frames.join('')}${bad}tail`);
      decoder.push(chunk);
      for (let i = 0; i < 3; i++) expect(decoder.next()).toBeDefined();
      const errors = [1, 2].map(() => thrown(() => decoder.next()));
      chunk.fill(0);
      expect(errors[0]).toBeInstanceOf(Error);
      expect(errors[1]).toBe(errors[0]);
      expect(thrown(() => decoder.push(Buffer.from('more')))).toBe(errors[0]);
      decoder.end();
      expect(thrown(() => decoder.next())).toBe(errors[0]);
      expect(rest(decoder)).toBe(`${bad}tail`);
    });

  function decoderOf(bytes: Uint8Array) {
    const decoder = codec.decoder();
    decoder.push(bytes);
    return decoder;
  }
});

function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}
