// What every encoder refuses: a value that is not bytes or text, and a length that does not fit the field.
import { describe, expect, test } from 'vitest';
import type { Codec } from '../../src/framing/codec.js';
import { delimitedCodec } from '../../src/framing/delimited.js';
import { fixedLengthCodec } from '../../src/framing/fixed-length.js';
import { jsonLinesCodec } from '../../src/framing/json-lines.js';
import { type LengthField, maxFieldValue } from '../../src/framing/length-field.js';
import { lengthPrefixedCodec } from '../../src/framing/length-prefixed.js';
import { linesCodec } from '../../src/framing/lines.js';
import { netstringsCodec } from '../../src/framing/netstrings.js';

const bytesCodecs: [string, Codec<unknown>][] = [
  ['delimited', delimitedCodec('\0')],
  ['lengthPrefixed', lengthPrefixedCodec({ lengthField: 4 })],
  ['lengthPrefixed with a varint', lengthPrefixedCodec({ lengthField: 'varint' })],
  // Each value below has this length, or none: the type is what is wrong with it.
  ['fixedLength', fixedLengthCodec(2)],
  ['netstrings', netstringsCodec()],
];

/** Values that look like bytes or text. */
const lookalikes: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['a number', 2],
  ['a boolean', true],
  ['an array of bytes', [1, 2]],
  ['a Uint16Array', new Uint16Array(2)],
  ['an Int8Array', new Int8Array(2)],
  ['a Uint8ClampedArray', new Uint8ClampedArray(2)],
  ['an ArrayBuffer', new ArrayBuffer(2)],
  ['a DataView', new DataView(new ArrayBuffer(2))],
  ['a String object', new String('ab')],
  ['an object with a length', { length: 2, 0: 1, 1: 2 }],
  ['a symbol', Symbol('ab')],
];

describe.each(bytesCodecs)('the encoder of %s', (_, codec) => {
  test.each(lookalikes)('refuses %s with a TypeError', (_name, value) => {
    expect(() => codec.encode(value)).toThrow(/^A payload must be a string or a Uint8Array/);
    expect(() => codec.encode(value)).toThrow(TypeError);
  });

  test.each(lookalikes)('and its decoder refuses %s', (_name, value) => {
    const decoder = codec.decoder();
    expect(() => decoder.push(value as never)).toThrow(TypeError);
    // The chunk was refused, and the decoder goes on.
    decoder.push(Buffer.from(codec.encode('ab') as Uint8Array));
    expect(String(decoder.next())).toBe('ab');
  });
});

test.each([...lookalikes, ['bytes', Buffer.from('ab')]])(
  'the encoder of lines refuses %s with a TypeError',
  (_, value) => {
    expect(() => linesCodec().encode(value as never)).toThrow(TypeError);
  },
);

test.each([
  ['undefined', undefined],
  ['a function', () => 1],
  ['a symbol', Symbol('a')],
  ['a bigint', 1n],
])('the encoder of JSON lines refuses %s', (_, value) => {
  expect(() => jsonLinesCodec().encode(value)).toThrow(expect.objectContaining({ code: 'ERR_FRAME_MALFORMED' }));
});

test.each<LengthField>([1, 2, 3, 4, 8, 'varint'])(
  'the length field %s takes its largest value, and no larger one',
  (lengthField) => {
    // With this adjustment an empty payload has the largest length that fits.
    const codec = lengthPrefixedCodec({ lengthField, adjustment: -maxFieldValue(lengthField) });
    const decoder = codec.decoder();
    decoder.push(codec.encode(''));
    expect(String(decoder.next())).toBe('');
    expect(decoder.rest()).toHaveLength(0);
    expect(() => codec.encode('a')).toThrow(
      expect.objectContaining({
        code: 'ERR_FRAME_MALFORMED',
        phase: 'write',
        message: expect.stringContaining('does not fit'),
      }),
    );
  },
);

test('a varint ends at the tenth byte at the latest', () => {
  const decoder = lengthPrefixedCodec({ lengthField: 'varint' }).decoder();
  for (let i = 0; i < 9; i++) {
    decoder.push(Uint8Array.of(0x80));
    expect(decoder.next()).toBeUndefined();
  }
  decoder.push(Uint8Array.of(0x80));
  expect(() => decoder.next()).toThrow('a varint of more than 10 bytes');
});

test('a varint of 2^53 - 1 is a length, and 2^53 is too long, though no limit is set', () => {
  const options = { lengthField: 'varint', maxLength: Number.POSITIVE_INFINITY } as const;
  const largest = lengthPrefixedCodec(options).decoder();
  largest.push(Buffer.from('ffffffffffffff0f', 'hex'));
  expect(largest.next()).toBeUndefined();
  const larger = lengthPrefixedCodec(options).decoder();
  larger.push(Buffer.from('8080808080808010', 'hex'));
  expect(() => larger.next()).toThrow(expect.objectContaining({ code: 'ERR_FRAME_TOO_LONG' }));
});
