import { describe, expect, test } from 'vitest';
import { FrameTooLongError, TruncatedFrameError } from '../../src/base/errors.js';
import { delimitedCodec } from '../../src/framing/delimited.js';
import { cuts, decodeBytes } from './support.js';

test.each([
  ['\0', 'a\0\0b\0', ['a', '', 'b']],
  ['--', 'a--b-c----', ['a', 'b-c', '']],
  // A delimiter that starts inside a partial match of itself.
  ['aab', 'aaab', ['a']],
  ['aab', 'aabaaaabxaab', ['', 'aa', 'x']],
  ['aa', 'aaaaa', ['', '', 'a']],
  ['abab', 'abaababxababab', ['aba', 'x', 'ab']],
  ['\r\n\r\n', 'a\r\n\r\r\n\r\nb\r\n\r\n', ['a\r\n\r', 'b']],
])('finds delimiter %j in %j', (delimiter, input, frames) => {
  for (const chunks of cuts(input)) {
    expect(decodeBytes(delimitedCodec(delimiter), ...chunks), JSON.stringify(chunks)).toEqual({
      frames,
      error: undefined,
      rest: '',
    });
  }
});

test('the delimiter may be bytes, and later changes to them have no effect', () => {
  const delimiter = Uint8Array.from([0xff, 0xfe]);
  const codec = delimitedCodec(delimiter);
  delimiter.fill(0);
  expect(decodeBytes(codec, 'a\xff\xfeb\xff\xfe').frames).toEqual(['a', 'b']);
});

test('an unterminated last frame is emitted, dropped or an error', () => {
  for (const chunks of cuts('a--b-')) {
    expect(decodeBytes(delimitedCodec('--'), ...chunks)).toMatchObject({ frames: ['a', 'b-'], rest: '' });
    expect(decodeBytes(delimitedCodec('--', { trailing: 'drop' }), ...chunks)).toMatchObject({
      frames: ['a'],
      error: undefined,
      rest: 'b-',
    });
    const { frames, error, rest } = decodeBytes(delimitedCodec('--', { trailing: 'error' }), ...chunks);
    expect({ frames, rest }).toEqual({ frames: ['a'], rest: 'b-' });
    expect(error).toBeInstanceOf(TruncatedFrameError);
    expect(error).toMatchObject({ buffered: 2 });
  }
});

describe('maxLength', () => {
  test('counts the payload, not the delimiter or a partial delimiter', () => {
    const codec = delimitedCodec('abab', { maxLength: 3 });
    for (const chunks of cuts('xababab')) expect(decodeBytes(codec, ...chunks).frames).toEqual(['x', 'ab']);
    for (const chunks of cuts('xxxabab')) expect(decodeBytes(codec, ...chunks).frames).toEqual(['xxx']);
    for (const chunks of cuts('ok1ababxxxxabab')) {
      const { frames, error } = decodeBytes(codec, ...chunks);
      expect(frames).toEqual(['ok1']);
      expect(error).toBeInstanceOf(FrameTooLongError);
      expect(error).toMatchObject({ limit: 3 });
    }
  });

  test('fails at the first byte after which no delimiter can come in time', () => {
    const decoder = delimitedCodec('abab', { maxLength: 3 }).decoder();
    for (const byte of 'xxxaba') {
      decoder.push(Buffer.from(byte));
      expect(decoder.next()).toBeUndefined();
    }
    decoder.push(Buffer.from('x'));
    expect(() => decoder.next()).toThrow(FrameTooLongError);
    expect(String(decoder.rest())).toBe('xxxabax');
  });

  test('discard finds the delimiter behind a long frame, wherever it is cut', () => {
    const codec = delimitedCodec('aab', { maxLength: 2, oversize: 'discard' });
    for (const chunks of cuts('xyaabxyzwaaaabxaabxxxaa')) {
      expect(decodeBytes(codec, ...chunks), JSON.stringify(chunks)).toMatchObject({
        frames: ['xy', 'x'],
        error: undefined,
      });
    }
  });
});

describe('encode', () => {
  test('appends the delimiter to bytes or to a string', () => {
    expect(delimitedCodec('--').encode('a-b')).toEqual(Buffer.from('a-b--'));
    expect(delimitedCodec('--').encode(Uint8Array.from([65]))).toEqual(Buffer.from('A--'));
  });

  test.each([
    ['--', 'a--b'],
    ['--', 'a-'],
    ['aab', 'aabx'],
    ['abab', 'xab'],
  ])('with delimiter %j rejects %j', (delimiter, payload) => {
    expect(() => delimitedCodec(delimiter).encode(payload)).toThrow(
      expect.objectContaining({ code: 'ERR_FRAME_MALFORMED', phase: 'write' }),
    );
  });

  test('accepts a payload whose end only looks like the delimiter', () => {
    expect(String(delimitedCodec('aab').encode('a'))).toBe('aaab');
  });

  test('rejects a payload over the limit and a value that is neither bytes nor a string', () => {
    expect(() => delimitedCodec('\0', { maxLength: 1 }).encode('ab')).toThrow(FrameTooLongError);
    expect(() => delimitedCodec('\0').encode(5 as never)).toThrow(TypeError);
  });
});

test('rejects bad options when it is called', () => {
  expect(() => delimitedCodec('')).toThrow(new TypeError('The delimiter must have at least one byte'));
  expect(() => delimitedCodec(new Uint8Array())).toThrow(TypeError);
  expect(() => delimitedCodec(10 as never)).toThrow(TypeError);
  expect(() => delimitedCodec('\n', { maxLength: Number.NaN })).toThrow(RangeError);
  expect(() => delimitedCodec('\n', { trailing: '' as never })).toThrow(TypeError);
  expect(() => delimitedCodec('\n', { oversize: '' as never })).toThrow(TypeError);
});
