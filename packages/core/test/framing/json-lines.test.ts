import { describe, expect, test } from 'vitest';
import { JsonLineError } from '../../src/base/errors.js';
import { jsonLinesCodec } from '../../src/framing/json-lines.js';
import { cuts, decodeAll } from './support.js';

test('decodes values of every kind, with LF or CR LF, and an unterminated last one', () => {
  for (const chunks of cuts('{"a":[1,"\\n"]}\r\nnull\nfalse\n0\n""\n[]')) {
    expect(decodeAll(jsonLinesCodec(), ...chunks)).toEqual({
      frames: [{ a: [1, '\n'] }, null, false, 0, '', []],
      error: undefined,
      rest: '',
    });
  }
});

describe('a line that is not JSON', () => {
  test('is an error with its number, after the values before it, and starts the rest', () => {
    for (const chunks of cuts('1\n2\r\n{"a":\n4\n')) {
      const { frames, error, rest } = decodeAll(jsonLinesCodec(), ...chunks);
      expect(frames, JSON.stringify(chunks)).toEqual([1, 2]);
      expect(error).toBeInstanceOf(JsonLineError);
      expect(error).toMatchObject({ code: 'ERR_FRAME_MALFORMED', line: 3, cause: expect.any(SyntaxError) });
      expect((error as Error).message).toMatch(/^Line 3 is not valid JSON: /);
      expect('{"a":\n4\n'.startsWith(rest) && rest.startsWith('{"a":\n')).toBe(true);
    }
  });

  test('may be the unterminated last one', () => {
    expect(decodeAll(jsonLinesCodec(), '1\n{"a"')).toMatchObject({ frames: [1], error: { line: 2 }, rest: '{"a"' });
  });

  test.each(['\ufeff\ufeff1', '1\ufeff', 'undefined', "'a'", '1 2', 'NaN'])('%j', (line) => {
    expect(decodeAll(jsonLinesCodec(), Buffer.from(`${line}\n`))).toMatchObject({ frames: [], error: { line: 1 } });
  });
});

test('blank lines are skipped but counted', () => {
  for (const chunks of cuts('\n\r\n1\n \t\n2\n\nx\n')) {
    expect(decodeAll(jsonLinesCodec(), ...chunks)).toMatchObject({ frames: [1, 2], error: { line: 7 } });
  }
  expect(decodeAll(jsonLinesCodec({ blankLines: 'error' }), '1\n\n2\n')).toMatchObject({
    frames: [1],
    error: { line: 2 },
    rest: '\n2\n',
  });
  // A no-break space is not white space in JSON.
  expect(decodeAll(jsonLinesCodec(), Buffer.from('\u00a0\n'))).toMatchObject({ error: { line: 1 } });
});

test('a byte order mark is passed over at the beginning of the input only', () => {
  const mark = '\xef\xbb\xbf';
  for (const chunks of cuts(`${mark}{"a":1}\r\n"${mark}"\n2\n`)) {
    expect(decodeAll(jsonLinesCodec(), ...chunks)).toEqual({
      frames: [{ a: 1 }, '\ufeff', 2],
      error: undefined,
      rest: '',
    });
  }
  for (const chunks of cuts(`1\n${mark}2\n`)) {
    expect(decodeAll(jsonLinesCodec(), ...chunks)).toMatchObject({
      frames: [1],
      error: { line: 2 },
      rest: `${mark}2\n`,
    });
  }
  for (const chunks of cuts(`\n${mark}2\n`)) {
    expect(decodeAll(jsonLinesCodec(), ...chunks)).toMatchObject({ frames: [], error: { line: 2 } });
  }
  for (const chunks of cuts(`${mark}\n2`)) {
    expect(decodeAll(jsonLinesCodec(), ...chunks)).toMatchObject({ frames: [2], error: undefined });
  }
  for (const chunks of cuts(`${mark}12345\n${mark}2\n`)) {
    const codec = jsonLinesCodec({ maxLength: 4, oversize: 'discard' });
    expect(decodeAll(codec, ...chunks)).toMatchObject({ frames: [], error: { line: 2 } });
  }
});

test('accepts the options of lines', () => {
  expect(decodeAll(jsonLinesCodec({ maxLength: 3 }), '123\n1234\n')).toMatchObject({
    frames: [123],
    error: { limit: 3 },
  });
  const discard = jsonLinesCodec({ maxLength: 3, oversize: 'discard' });
  for (const chunks of cuts('12345\n1\n12345\nx\n')) {
    expect(decodeAll(discard, ...chunks)).toMatchObject({ frames: [1], error: { line: 4 } });
  }
  expect(decodeAll(jsonLinesCodec({ trailing: 'error' }), '1\n23')).toMatchObject({
    frames: [1],
    error: { buffered: 2 },
  });
  expect(decodeAll(jsonLinesCodec({ trailing: 'drop' }), '1\n23')).toMatchObject({ frames: [1], error: undefined });
});

test('encode() writes one line per value and rejects what JSON cannot express', () => {
  const codec = jsonLinesCodec();
  expect(codec.encode({ a: 'x\r\ny' })).toBe('{"a":"x\\r\\ny"}\n');
  expect(codec.encode(null)).toBe('null\n');
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  for (const value of [undefined, () => 1, Symbol('s'), 1n, cycle]) {
    expect(() => codec.encode(value)).toThrow(
      expect.objectContaining({ name: 'FrameError', code: 'ERR_FRAME_MALFORMED', phase: 'write' }),
    );
  }
  expect(() => jsonLinesCodec({ maxLength: 2 }).encode('a')).toThrow(expect.objectContaining({ limit: 2 }));
});

test('rejects bad options when it is called', () => {
  expect(() => jsonLinesCodec({ blankLines: 'keep' as never })).toThrow(TypeError);
  expect(() => jsonLinesCodec({ maxLength: -1 })).toThrow(RangeError);
});
