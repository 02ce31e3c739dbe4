import { describe, expect, test } from 'vitest';
import { FrameError, FrameTooLongError, TruncatedFrameError } from '../../src/base/errors.js';
import { linesCodec } from '../../src/framing/lines.js';
import { cuts, decodeAll, pullAll } from './support.js';

test('UTF-8 encodes what latin1 cannot', () => {
  expect(linesCodec().encode('€')).toBe('€\n');
});

describe('line endings', () => {
  test.each([
    ['LF', 'a\nb\n', ['a', 'b']],
    ['CR LF', 'a\r\nb\r\n', ['a', 'b']],
    ['both, mixed', 'a\nb\r\nc\n', ['a', 'b', 'c']],
    ['a lone CR is data', 'a\rb\n\rc\n', ['a\rb', '\rc']],
    ['one CR alone is stripped', 'a\r\r\n\r\r\n', ['a\r', '\r']],
    ['empty lines are lines', '\n\r\n\na\n\n', ['', '', '', 'a', '']],
    ['NUL and controls are data', 'a\0b\x0b\x0c\x85\n', ['a\0b\x0b\x0c\ufffd']],
  ])('%s', (_, input, lines) => {
    for (const chunks of cuts(input)) {
      expect(decodeAll(linesCodec(), ...chunks), JSON.stringify(chunks)).toEqual({
        frames: lines,
        error: undefined,
        rest: '',
      });
    }
  });

  test("delimiter '\\r\\n' is exact: a lone LF or CR is data", () => {
    const codec = linesCodec({ delimiter: '\r\n' });
    for (const chunks of cuts('a\nb\r\n\r\r\n\r\nc\rd\n\r\n')) {
      expect(decodeAll(codec, ...chunks).frames, JSON.stringify(chunks)).toEqual(['a\nb', '\r', '', 'c\rd\n']);
    }
  });

  test('decodes more lines than fit in one run, and lines longer than a run', () => {
    const lines = Array.from({ length: 3000 }, (_, i) => (i % 500 === 7 ? 'long'.repeat(5000) : `line ${i}`));
    expect(decodeAll(linesCodec(), `${lines.join('\n')}\n`).frames).toEqual(lines);
    expect(decodeAll(linesCodec({ delimiter: '\r\n' }), `${lines.join('\r\n')}\r\n`).frames).toEqual(lines);
  });
});

describe('an unterminated last line', () => {
  test.each([
    ['abc', ['abc']],
    ['abc\r', ['abc\r']],
    ['\r', ['\r']],
    ['', []],
    ['a\n', ['a']],
  ])('is emitted by default: %j', (input, lines) => {
    for (const chunks of cuts(input)) expect(decodeAll(linesCodec(), ...chunks).frames).toEqual(lines);
  });

  test("is dropped with trailing: 'drop', and stays in the rest", () => {
    for (const chunks of cuts('one\ntwo\r')) {
      expect(decodeAll(linesCodec({ trailing: 'drop' }), ...chunks)).toEqual({
        frames: ['one'],
        error: undefined,
        rest: 'two\r',
      });
    }
  });

  test("is an error that reports its length with trailing: 'error'", () => {
    for (const chunks of cuts('one\ntwo\r')) {
      const { frames, error, rest } = decodeAll(linesCodec({ trailing: 'error' }), ...chunks);
      expect({ frames, rest }).toEqual({ frames: ['one'], rest: 'two\r' });
      expect(error).toBeInstanceOf(TruncatedFrameError);
      expect(error).toMatchObject({ code: 'ERR_FRAME_TRUNCATED', buffered: 4, phase: 'read' });
    }
    expect(decodeAll(linesCodec({ trailing: 'error' }), 'one\n').error).toBeUndefined();
  });
});

describe('maxLength counts payload bytes, whatever the chunking', () => {
  test.each(['abcd\n', 'abcd\r\n', 'abcd', 'äb\u0001\n', 'abc\r\r\n', 'abc\r'])('accepts four bytes: %j', (input) => {
    const bytes = Buffer.from(input).toString('latin1');
    for (const chunks of cuts(bytes)) {
      const { error, frames } = decodeAll(linesCodec({ maxLength: 4 }), ...chunks);
      expect(error, JSON.stringify(chunks)).toBeUndefined();
      expect(frames).toHaveLength(1);
    }
  });

  test.each(['abcde\n', 'abcde\r\n', 'abcde', 'abcd\r', 'abcdx', 'äbcd\n', 'abcd\r\r\n'])(
    'rejects five bytes: %j',
    (line) => {
      const bytes = Buffer.from(line).toString('latin1');
      for (const chunks of cuts(`ok\n${bytes}`)) {
        const { frames, error, rest } = decodeAll(linesCodec({ maxLength: 4 }), ...chunks);
        expect(frames, JSON.stringify(chunks)).toEqual(['ok']);
        expect(error).toBeInstanceOf(FrameTooLongError);
        expect(error).toMatchObject({ code: 'ERR_FRAME_TOO_LONG', limit: 4, phase: 'read' });
        expect(rest).toBe(bytes.slice(0, rest.length));
        expect(rest.length).toBeGreaterThan(4);
      }
    },
  );

  test('does not count the two bytes of an exact delimiter', () => {
    const codec = linesCodec({ delimiter: '\r\n', maxLength: 3 });
    for (const chunks of cuts('abc\r\nab\r\r\n\n\r\n\r\n')) {
      expect(decodeAll(codec, ...chunks)).toMatchObject({ frames: ['abc', 'ab\r', '\n', ''], error: undefined });
    }
    for (const chunks of cuts('abc\n\r\n')) {
      expect(decodeAll(codec, ...chunks)).toMatchObject({ frames: [], error: { limit: 3 } });
    }
  });

  test('fails at the first byte that cannot fit, not at the delimiter', () => {
    const decoder = linesCodec({ maxLength: 4 }).decoder();
    decoder.push(Buffer.from('abcd\r'));
    expect(decoder.next()).toBeUndefined();
    decoder.push(Buffer.from('e'));
    expect(() => decoder.next()).toThrow(FrameTooLongError);
    const other = linesCodec({ maxLength: 4 }).decoder();
    other.push(Buffer.from('abcde'));
    expect(() => other.next()).toThrow(FrameTooLongError);
  });

  test('maxLength 1 allows lines of one byte', () => {
    for (const chunks of cuts('\nx\r\n\nxx')) {
      expect(decodeAll(linesCodec({ maxLength: 1 }), ...chunks)).toMatchObject({
        frames: ['', 'x', ''],
        error: { limit: 1 },
      });
    }
  });

  test('is 64 KiB by default', () => {
    const fits = 'x'.repeat(65536);
    expect(decodeAll(linesCodec(), `${fits}\r\n`).frames).toEqual([fits]);
    expect(decodeAll(linesCodec(), `${fits}x\n`).error).toMatchObject({ limit: 65536 });
  });

  test("oversize: 'discard' skips long lines and continues", () => {
    const codec = linesCodec({ maxLength: 3, oversize: 'discard' });
    for (const chunks of cuts('abc\nabcd\nde\nabcdefghijk\r\n\nabcd\r\nabc\r\nxyzz')) {
      expect(decodeAll(codec, ...chunks), JSON.stringify(chunks)).toEqual({
        frames: ['abc', 'de', '', 'abc'],
        error: undefined,
        rest: '',
      });
    }
  });

  test('discarding keeps only the bytes that may start a delimiter', () => {
    const decoder = linesCodec({ delimiter: '\r\n', maxLength: 3, oversize: 'discard' }).decoder();
    for (const chunk of ['abcdef', 'ghi', 'jkl\r']) {
      decoder.push(Buffer.from(chunk));
      expect(decoder.next()).toBeUndefined();
    }
    expect(String(decoder.rest())).toBe('\r');
    decoder.push(Buffer.from('\nok\r\nabcdef\r'));
    expect(pullAll(decoder)).toEqual(['ok']);
    decoder.end();
    expect(decoder.next()).toBeUndefined();
    expect(String(decoder.rest())).toBe('');
  });
});

describe('text', () => {
  test('UTF-8 is decoded after splitting, wherever the bytes are cut', () => {
    const text = 'naïve\n€ 100\n😀\r\n\ufeffBOM\n';
    for (const chunks of cuts(Buffer.from(text).toString('latin1'))) {
      expect(decodeAll(linesCodec(), ...chunks).frames).toEqual(['naïve', '€ 100', '😀', '\ufeffBOM']);
    }
  });

  test('invalid UTF-8 becomes U+FFFD line by line: a sequence does not continue after a line end', () => {
    const lines = ['\xe2\x82', '\xac', '\xf0\x9f\x98', '\xff\xfe', '\xed\xa0\x80', 'ok\xc3'];
    const expected = lines.map((line) =>
      new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(line, 'latin1')),
    );
    for (const chunks of cuts(`${lines.join('\n')}\n`))
      expect(decodeAll(linesCodec(), ...chunks).frames).toEqual(expected);
  });

  test('decodes latin1', () => {
    const codec = linesCodec({ encoding: 'latin1' });
    expect(decodeAll(codec, '\xe4\xff\n\x8a\n').frames).toEqual(['äÿ', '\x8a']);
    expect(codec.encode('äÿ')).toEqual(Buffer.from([0xe4, 0xff, 10]));
    // U+010A would become LF if its upper byte were cut off.
    expect(() => codec.encode('\u010a')).toThrow(
      expect.objectContaining({ code: 'ERR_FRAME_MALFORMED', phase: 'write' }),
    );
  });
});

describe('encode', () => {
  test('terminates a line', () => {
    expect(linesCodec().encode('ä\rb')).toBe('ä\rb\n');
    expect(linesCodec({ delimiter: '\r\n' }).encode('a\nb\r')).toBe('a\nb\r\r\n');
  });

  test.each([
    ['\n', 'a\nb'],
    ['\n', 'a\r'],
    ['\r\n', 'a\r\nb'],
  ] as const)('with delimiter %j rejects %j', (delimiter, line) => {
    const encode = () => linesCodec({ delimiter }).encode(line);
    expect(encode).toThrow(FrameError);
    expect(encode).toThrow(expect.objectContaining({ code: 'ERR_FRAME_MALFORMED', phase: 'write' }));
  });

  test('rejects a line over the limit in bytes', () => {
    const codec = linesCodec({ maxLength: 4 });
    expect(codec.encode('ää')).toBe('ää\n');
    expect(() => codec.encode('ääb')).toThrow(expect.objectContaining({ code: 'ERR_FRAME_TOO_LONG', phase: 'write' }));
  });

  test('rejects a value that is not a string', () => {
    expect(() => linesCodec().encode(Buffer.from('a') as unknown as string)).toThrow(TypeError);
  });
});

test.each([
  [{ delimiter: '' }, TypeError, /delimitedCodec/],
  [{ delimiter: ';' }, TypeError, /delimitedCodec/],
  [{ maxLength: -1 }, RangeError, /maxLength.*-1/],
  [{ maxLength: 1.5 }, RangeError, /maxLength/],
  [{ maxLength: 0 }, RangeError, /maxLength/],
  [{ maxLength: '5' }, TypeError, /maxLength/],
  [{ trailing: 'keep' }, TypeError, /trailing.*'emit', 'drop', 'error'.*'keep'/],
  [{ oversize: 'drop' }, TypeError, /oversize/],
  [{ encoding: 'utf16le' }, TypeError, /encoding/],
])('rejects %j when it is called', (options, type, message) => {
  const call = () => linesCodec(options as never);
  expect(call).toThrow(type);
  expect(call).toThrow(message);
});
