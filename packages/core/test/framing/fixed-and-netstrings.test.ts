import { describe, expect, test } from 'vitest';
import { FrameError, FrameTooLongError, TruncatedFrameError } from '../../src/base/errors.js';
import { fixedLengthCodec } from '../../src/framing/fixed-length.js';
import { netstringsCodec } from '../../src/framing/netstrings.js';
import { cuts, decodeBytes } from './support.js';

describe('fixedLength', () => {
  test('decodes frames of one length from any chunks', () => {
    for (const chunks of cuts('abcdef')) {
      expect(decodeBytes(fixedLengthCodec(3), ...chunks)).toEqual({
        frames: ['abc', 'def'],
        error: undefined,
        rest: '',
      });
      expect(decodeBytes(fixedLengthCodec(1), ...chunks).frames).toEqual([...'abcdef']);
    }
  });

  test('fails if the input ends inside a frame', () => {
    for (const chunks of cuts('abcde')) {
      const { frames, error, rest } = decodeBytes(fixedLengthCodec(3), ...chunks);
      expect({ frames, rest }).toEqual({ frames: ['abc'], rest: 'de' });
      expect(error).toBeInstanceOf(TruncatedFrameError);
      expect(error).toMatchObject({ buffered: 2 });
    }
  });

  test('encode() rejects any other length', () => {
    expect(fixedLengthCodec(3).encode('abc')).toEqual(Buffer.from('abc'));
    for (const payload of ['', 'ab', 'abcd']) {
      expect(() => fixedLengthCodec(3).encode(payload)).toThrow(
        expect.objectContaining({ code: 'ERR_FRAME_MALFORMED', phase: 'write' }),
      );
    }
  });

  test.each([0, -1, 1.5, Number.NaN, undefined])('rejects a length of %s when it is called', (length) => {
    expect(() => fixedLengthCodec(length as number)).toThrow(length === undefined ? TypeError : RangeError);
  });
});

describe('netstrings', () => {
  test('decodes and encodes payloads of any bytes, empty ones included', () => {
    for (const chunks of cuts('5:hello,0:,3:1:,,11:hello world,')) {
      expect(decodeBytes(netstringsCodec(), ...chunks)).toEqual({
        frames: ['hello', '', '1:,', 'hello world'],
        error: undefined,
        rest: '',
      });
    }
    expect(netstringsCodec().encode('ä')).toEqual(Buffer.from('2:ä,'));
    expect(netstringsCodec().encode('')).toEqual(Buffer.from('0:,'));
  });

  test.each([':', 'x', '-1:', '+1:', ' 1:', '01:a,', '00:,', '1 :', '1x', '\n', '2:abc', '0:x'])(
    'malformed: %j',
    (bad) => {
      for (const chunks of cuts(`2:ok,${bad}`)) {
        const { frames, error, rest } = decodeBytes(netstringsCodec(), ...chunks);
        expect(frames, JSON.stringify(chunks)).toEqual(['ok']);
        expect(error).toBeInstanceOf(FrameError);
        expect(error).toMatchObject({ code: 'ERR_FRAME_MALFORMED', phase: 'read' });
        expect(bad.startsWith(rest)).toBe(true);
      }
    },
  );

  test('rejects a length over the limit at the first digit that exceeds it, whatever the number of digits', () => {
    for (const bad of ['6', '10', '55', '9'.repeat(400)]) {
      for (const chunks of cuts(`2:ok,${bad}`)) {
        const { frames, error } = decodeBytes(netstringsCodec({ maxLength: 5 }), ...chunks);
        expect(frames).toEqual(['ok']);
        expect(error).toBeInstanceOf(FrameTooLongError);
        expect(error).toMatchObject({ limit: 5 });
      }
    }
    expect(decodeBytes(netstringsCodec({ maxLength: 5 }), '5:hello,').frames).toEqual(['hello']);
    expect(decodeBytes(netstringsCodec(), '16777217').error).toMatchObject({ limit: 16777216 });
  });

  test.each(['1', '5:', '5:hel', '5:hello'])('fails if the input ends inside a frame: %j', (cut) => {
    for (const chunks of cuts(`2:ok,${cut}`)) {
      const { frames, error, rest } = decodeBytes(netstringsCodec(), ...chunks);
      expect({ frames, rest }).toEqual({ frames: ['ok'], rest: cut });
      expect(error).toBeInstanceOf(TruncatedFrameError);
      expect(error).toMatchObject({ buffered: cut.length });
    }
  });

  test('encode() and the options reject bad values', () => {
    expect(() => netstringsCodec({ maxLength: 2 }).encode('abc')).toThrow(FrameTooLongError);
    expect(() => netstringsCodec({ maxLength: -2 })).toThrow(RangeError);
  });
});
