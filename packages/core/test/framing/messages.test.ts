// The messages of framing errors: what is wrong, and what to do.
import { expect, test } from 'vitest';
import type { Codec } from '../../src/framing/codec.js';
import { delimitedCodec } from '../../src/framing/delimited.js';
import { fixedLengthCodec } from '../../src/framing/fixed-length.js';
import { jsonLinesCodec } from '../../src/framing/json-lines.js';
import { lengthPrefixedCodec } from '../../src/framing/length-prefixed.js';
import { linesCodec } from '../../src/framing/lines.js';
import { netstringsCodec } from '../../src/framing/netstrings.js';
import { decodeAll } from './support.js';

test.each<[Pick<Codec<unknown>, 'decoder'>, string, string]>([
  [
    linesCodec({ maxLength: 2 }),
    'abc\n',
    'A line is longer than 2 bytes: raise maxLength, or skip such lines with oversize: ',
  ],
  [
    delimitedCodec('--', { maxLength: 2 }),
    'abc--',
    'A frame is longer than 2 bytes: raise maxLength, or skip such frames with oversize: ',
  ],
  [delimitedCodec('--', { trailing: 'error' }), 'ab', 'The input ended inside a frame, 2 bytes after its start'],
  [
    fixedLengthCodec(3),
    'ab',
    'The input ended inside a frame, 2 bytes after its start: the peer did not send all of it',
  ],
  [lengthPrefixedCodec({ lengthField: 2 }), '\0', 'The input ended inside a frame, 1 bytes after its start'],
  [lengthPrefixedCodec({ lengthField: 1 }), '\x02a', 'The input ended inside a frame, 2 bytes after its start'],
  [
    lengthPrefixedCodec({ lengthField: 'varint' }),
    '\x80'.repeat(10),
    'The length of a frame is a varint of more than 10 bytes: check what the peer sends',
  ],
  [
    lengthPrefixedCodec({ lengthField: 1, adjustment: -2 }),
    '\x01',
    'A frame declares the length 1, which an adjustment of -2 makes negative: check what the peer counts',
  ],
  [
    lengthPrefixedCodec({ lengthField: 1, maxLength: 2 }),
    '\x03',
    'A frame declares a payload over 2 bytes: raise maxLength, or check what the peer sends',
  ],
  [netstringsCodec(), '2', 'The input ended inside a netstring, 1 bytes after its start'],
  [netstringsCodec(), '2:a', 'The input ended inside a netstring, 3 bytes after its start'],
  [
    netstringsCodec(),
    '1:ab',
    'A netstring does not end with a comma: its length is wrong, or the peer does not send netstrings',
  ],
  [
    netstringsCodec(),
    'x',
    'A netstring must begin with decimal digits, without leading zeros, and a colon: check what the peer sends',
  ],
  [
    netstringsCodec({ maxLength: 2 }),
    '3',
    'A netstring declares a length over 2 bytes: raise maxLength, or check what the peer sends',
  ],
])('a decoder says what is wrong: %#', (codec, input, message) => {
  expect((decodeAll(codec, input).error as Error).message).toContain(message);
});

test.each<[() => unknown, string]>([
  [() => linesCodec().encode('a\nb'), "A line cannot contain its delimiter '\\n': send it as several lines"],
  [() => linesCodec().encode('a\r'), 'A line cannot end with CR, because a CR before LF is stripped'],
  [
    () => linesCodec({ encoding: 'latin1' }).encode('€'),
    'A line has a character above U+00FF, which latin1 cannot encode',
  ],
  [() => linesCodec().encode({ a: { b: {} } } as never), 'A line must be a string, not { a: [Object] }'],
  [
    () => delimitedCodec('--').encode('a--b'),
    'The delimiter occurs before the end of the frame: escape it in the payload',
  ],
  [() => fixedLengthCodec(3).encode('ab'), 'The payload has 2 bytes and every frame has 3: pad or split the payload'],
  [
    () => netstringsCodec({ maxLength: 2 }).encode('abc'),
    'The payload has 3 bytes, more than maxLength (2): send less',
  ],
  [
    () => lengthPrefixedCodec({ lengthField: 1 }).encode('x'.repeat(256)),
    'A payload of 256 bytes needs the length 256, which does not fit the field: check lengthField (1) and adjustment',
  ],
  [() => jsonLinesCodec().encode(1n as never), 'The value cannot be written as JSON: '],
  [() => jsonLinesCodec().encode(undefined), 'JSON cannot express this value of type undefined: send null instead'],
  [
    () =>
      linesCodec()
        .decoder()
        .push({ a: { b: {} } } as never),
    'A decoder takes a Uint8Array, not { a: [Object] }',
  ],
])('a codec says what it refuses: %#', (run, message) => {
  expect(run).toThrow(message);
});

test.each<[() => unknown, string]>([
  [() => linesCodec('x' as never), '{ maxLength: 1024 }'],
  [() => jsonLinesCodec('x' as never), '{ maxLength: 1024 }'],
  [() => netstringsCodec('x' as never), '{ maxLength: 1024 }'],
  [() => delimitedCodec('-', 'x' as never), '{ maxLength: 1024 }'],
  [() => delimitedCodec(7 as never), 'The delimiter'],
  [() => delimitedCodec('-', { trailing: 'x' as never }), 'trailing'],
  [() => delimitedCodec('-', { oversize: 'x' as never }), 'oversize'],
  [() => jsonLinesCodec({ blankLines: 'x' as never }), 'blankLines'],
  [() => fixedLengthCodec(0), 'length'],
])('a rejected argument is named: %#', (run, message) => {
  expect(run).toThrow(message);
});
