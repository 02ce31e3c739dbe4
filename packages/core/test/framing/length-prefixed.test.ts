import { describe, expect, test } from 'vitest';
import { FrameError, FrameTooLongError, TruncatedFrameError } from '../../src/base/errors.js';
import {
  type HeaderFrame,
  type LengthPrefixedOptions,
  lengthPrefixedCodec,
} from '../../src/framing/length-prefixed.js';
import { cuts, decodeAll, decodeBytes } from './support.js';

const decode = (options: LengthPrefixedOptions, ...chunks: string[]) =>
  decodeBytes(lengthPrefixedCodec(options), ...chunks);

describe('position and format of the length', () => {
  test.each<[LengthPrefixedOptions, string, string]>([
    [{ lengthField: 1 }, '\x02hi', 'hi'],
    [{ lengthField: 2 }, '\x00\x02hi', 'hi'],
    [{ lengthField: 2, byteOrder: 'little' }, '\x02\x00hi', 'hi'],
    [{ lengthField: 3 }, '\x00\x00\x02hi', 'hi'],
    [{ lengthField: 3, byteOrder: 'little' }, '\x02\x00\x00hi', 'hi'],
    [{ lengthField: 4 }, '\x00\x00\x00\x02hi', 'hi'],
    [{ lengthField: 4, byteOrder: 'little' }, '\x02\x00\x00\x00hi', 'hi'],
    [{ lengthField: 8 }, '\x00\x00\x00\x00\x00\x00\x00\x02hi', 'hi'],
    [{ lengthField: 8, byteOrder: 'little' }, '\x02\x00\x00\x00\x00\x00\x00\x00hi', 'hi'],
    [{ lengthField: 'varint' }, '\x02hi', 'hi'],
    [{ lengthField: 'varint' }, `\xac\x02${'x'.repeat(300)}`, 'x'.repeat(300)],
    [{ lengthField: 1, offset: 2 }, '\0\0\x02hi', 'hi'],
    [{ lengthField: 2, adjustment: -2 }, '\x00\x04hi', 'hi'],
    [{ lengthField: 1, offset: 1, adjustment: -2 }, '\0\x04hi', 'hi'],
    [{ lengthField: 1, adjustment: 2 }, '\x00hi', 'hi'],
    [{ lengthField: 'varint', offset: 3, adjustment: 1 }, '\0\0\0\x01hi', 'hi'],
  ])('%j', (options, input, payload) => {
    expect(lengthPrefixedCodec(options).encode(payload).toString('latin1')).toBe(input);
    for (const chunks of cuts(input + input)) {
      expect(decode(options, ...chunks)).toEqual({ frames: [payload, payload], error: undefined, rest: '' });
    }
  });

  test('decodes a length of zero as an empty frame', () => {
    expect(decode({ lengthField: 2 }, '\0\0\0\x01a\0\0').frames).toEqual(['', 'a', '']);
    expect(decode({ lengthField: 'varint' }, '\0\0').frames).toEqual(['', '']);
  });

  test('drops the bytes before the length, whatever they are', () => {
    expect(decode({ lengthField: 1, offset: 2 }, '\xff\x07\x02hi').frames).toEqual(['hi']);
  });

  test.each([0, 127, 128, 16_383, 16_384, 2_097_152])('decodes a varint of %i', (length) => {
    const codec = lengthPrefixedCodec({ lengthField: 'varint' });
    const payload = Buffer.alloc(length, 'x');
    const bytes = codec.encode(payload);
    expect(bytes).toHaveLength(length + Math.max(1, Math.ceil(Math.log2(length + 1) / 7)));
    const decoder = codec.decoder();
    decoder.push(bytes);
    expect(decoder.next()?.equals(payload)).toBe(true);
    expect(decoder.rest()).toHaveLength(0);
  });

  test('accepts a varint that is longer than necessary, up to ten bytes', () => {
    expect(decode({ lengthField: 'varint' }, '\x82\x80\x80\x80\x80\x80\x80\x80\x80\x00hi').frames).toEqual(['hi']);
  });

  test('reads a length of more than 32 bits as one number', () => {
    const options = { lengthField: 8, adjustment: -(2 ** 40) } as const;
    expect(decode(options, '\x00\x00\x01\x00\x00\x00\x00\x02hi').frames).toEqual(['hi']);
    expect(lengthPrefixedCodec(options).encode('hi').toString('latin1')).toBe('\x00\x00\x01\x00\x00\x00\x00\x02hi');
    const little = { ...options, byteOrder: 'little' } as const;
    expect(lengthPrefixedCodec(little).encode('hi').toString('latin1')).toBe('\x02\x00\x00\x00\x00\x01\x00\x00hi');
    expect(decode(little, '\x02\x00\x00\x00\x00\x01\x00\x00hi').frames).toEqual(['hi']);
    const varint = { lengthField: 'varint', adjustment: -(2 ** 40) } as const;
    expect(decodeBytes(lengthPrefixedCodec(varint), lengthPrefixedCodec(varint).encode('hi')).frames).toEqual(['hi']);
  });
});

describe('reports a bad length after the good frames, and keeps it in the rest', () => {
  test.each<[string, LengthPrefixedOptions, string, object]>([
    ['over the limit', { lengthField: 1, maxLength: 2 }, '\x03', { code: 'ERR_FRAME_TOO_LONG', limit: 2 }],
    ['over the limit when adjusted', { lengthField: 1, adjustment: 2, maxLength: 4 }, '\x03', { limit: 4 }],
    ['over the default', { lengthField: 4 }, '\x01\x00\x00\x01', { limit: 16 * 1024 * 1024 }],
    ['all ones', { lengthField: 4 }, '\xff\xff\xff\xff', { code: 'ERR_FRAME_TOO_LONG' }],
    ['all ones, 64 bits', { lengthField: 8 }, '\xff'.repeat(8), { code: 'ERR_FRAME_TOO_LONG' }],
    [
      '2^53',
      { lengthField: 8, maxLength: Number.MAX_SAFE_INTEGER },
      '\0\x20\0\0\0\0\0\0',
      { code: 'ERR_FRAME_TOO_LONG' },
    ],
    [
      '2^53 that an adjustment would make small',
      { lengthField: 8, adjustment: 2 - Number.MAX_SAFE_INTEGER },
      '\0\x20\0\0\0\0\0\0',
      { code: 'ERR_FRAME_TOO_LONG' },
    ],
    [
      'a varint over 2^53',
      { lengthField: 'varint' },
      '\xff\xff\xff\xff\xff\xff\xff\xff\x7f',
      { code: 'ERR_FRAME_TOO_LONG' },
    ],
    ['a varint without an end', { lengthField: 'varint' }, '\x80'.repeat(10), { code: 'ERR_FRAME_MALFORMED' }],
    [
      'a length shorter than the header',
      { lengthField: 2, adjustment: -2 },
      '\x00\x01',
      { code: 'ERR_FRAME_MALFORMED' },
    ],
  ])('%s', (_, options, bad, fields) => {
    const good = lengthPrefixedCodec(options).encode('hi').toString('latin1');
    for (const chunks of cuts(`${good}${bad}`)) {
      const { frames, error, rest } = decode(options, ...chunks);
      expect({ frames, rest }, JSON.stringify(chunks)).toEqual({ frames: ['hi'], rest: bad });
      expect(error).toBeInstanceOf(FrameError);
      expect(error).toMatchObject({ ...fields, phase: 'read' });
    }
  });

  test('accepts a frame of exactly the limit', () => {
    expect(decode({ lengthField: 1, maxLength: 2 }, '\x02hi').frames).toEqual(['hi']);
  });
});

test.each<[LengthPrefixedOptions, string, number]>([
  [{ lengthField: 4 }, '\0\0', 2],
  [{ lengthField: 4 }, '\0\0\0\x05abcd', 8],
  [{ lengthField: 'varint' }, '\x80', 1],
  [{ lengthField: 1, offset: 3 }, '\0\0\0', 3],
])('fails if the input ends inside a frame: %j %j', (options, cut, buffered) => {
  const good = lengthPrefixedCodec(options).encode('hi').toString('latin1');
  for (const chunks of cuts(`${good}${cut}`)) {
    const { frames, error, rest } = decode(options, ...chunks);
    expect({ frames, rest }).toEqual({ frames: ['hi'], rest: cut });
    expect(error).toBeInstanceOf(TruncatedFrameError);
    expect(error).toMatchObject({ code: 'ERR_FRAME_TRUNCATED', buffered });
  }
});

describe('encode', () => {
  test.each<[LengthPrefixedOptions, number]>([
    [{ lengthField: 1 }, 256],
    [{ lengthField: 1, adjustment: -1 }, 255],
    [{ lengthField: 2 }, 65536],
    [{ lengthField: 1, adjustment: 3 }, 2],
    [{ lengthField: 8, adjustment: -Number.MAX_SAFE_INTEGER }, 2],
    [{ lengthField: 'varint', adjustment: -Number.MAX_SAFE_INTEGER }, 2],
  ])('%j rejects %i bytes, which the field cannot express', (options, length) => {
    expect(() => lengthPrefixedCodec(options).encode(Buffer.alloc(length))).toThrow(
      expect.objectContaining({ code: 'ERR_FRAME_MALFORMED', phase: 'write' }),
    );
  });

  test('accepts the most that the field can express', () => {
    expect(lengthPrefixedCodec({ lengthField: 1 }).encode(Buffer.alloc(255))[0]).toBe(255);
    expect(lengthPrefixedCodec({ lengthField: 2 }).encode(Buffer.alloc(65_535)).readUInt16BE()).toBe(65_535);
  });

  test('rejects a payload over the limit', () => {
    expect(() => lengthPrefixedCodec({ lengthField: 4, maxLength: 2 }).encode('abc')).toThrow(FrameTooLongError);
  });
});

test.each([
  [{}, TypeError, /lengthField.*1, 2, 3, 4, 8, 'varint'/],
  [undefined, TypeError, /lengthField/],
  [{ lengthField: 5 }, RangeError, /lengthField/],
  [{ lengthField: '4' }, TypeError, /lengthField/],
  [{ lengthField: 4, byteOrder: 'middle' }, TypeError, /byteOrder/],
  [{ lengthField: 4, offset: -1 }, RangeError, /offset/],
  [{ lengthField: 4, adjustment: 0.5 }, RangeError, /adjustment/],
  [{ lengthField: 4, maxLength: -1 }, RangeError, /maxLength/],
])('rejects %j when it is called', (options, type, message) => {
  const call = () => lengthPrefixedCodec(options as never);
  expect(call).toThrow(type);
  expect(call).toThrow(message);
});

describe('header: true', () => {
  const mqtt = lengthPrefixedCodec({ lengthField: 'varint', offset: 1, header: true });
  const postgres = lengthPrefixedCodec({ lengthField: 4, offset: 1, adjustment: -4, header: true });
  const asText = ({ header, payload }: HeaderFrame) => [header.toString('latin1'), payload.toString('latin1')];

  test.each([
    [mqtt, '\x30\x02hi', ['\x30', 'hi']],
    [mqtt, '\xc0\x00', ['\xc0', '']],
    [mqtt, `\x30\xac\x02${'x'.repeat(300)}`, ['\x30', 'x'.repeat(300)]],
    [postgres, 'Q\0\0\0\x06hi', ['Q', 'hi']],
    [lengthPrefixedCodec({ lengthField: 1, offset: 3, header: true }), 'abc\x02hi', ['abc', 'hi']],
  ])('keeps the bytes before the length', (codec, input, frame) => {
    const [header = '', payload = ''] = frame.map((part) => Buffer.from(part, 'latin1'));
    expect(codec.encode({ header, payload }).toString('latin1')).toBe(input);
    for (const chunks of cuts(input + input)) {
      const { frames, rest } = decodeAll(codec, ...chunks);
      expect([frames.map(asText), rest]).toEqual([[frame, frame], '']);
    }
  });

  test('a header has memory of its own', () => {
    const chunk = Buffer.from('Q\0\0\0\x06hi');
    const decoder = postgres.decoder();
    decoder.push(chunk);
    const frame = decoder.next() as HeaderFrame;
    chunk.fill(0);
    expect(asText(frame)).toEqual(['Q', 'hi']);
  });

  test.each(['', 'QQ'])('the encoder refuses the header %j', (header) => {
    expect(() => postgres.encode({ header, payload: 'hi' })).toThrow(
      expect.objectContaining({
        code: 'ERR_FRAME_MALFORMED',
        message: `The header has ${header.length} bytes, and offset is 1: they must be equal`,
      }),
    );
  });

  test('needs an offset', () => {
    expect(() => lengthPrefixedCodec({ lengthField: 4, header: true })).toThrow(/^offset must be an integer/);
  });
});
