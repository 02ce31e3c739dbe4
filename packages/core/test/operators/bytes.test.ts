// The small operators on bytes: decodeText, decodeEach, encode, discard.
import {
  data,
  decodeEach,
  decodeText,
  delimited,
  discard,
  encode,
  fixedLength,
  jsonLines,
  lengthPrefixed,
  lengthPrefixedCodec,
  lines,
  linesCodec,
  mapWithBackpressure,
  netstrings,
} from '@rxsock/core';
import { from, NEVER, type OperatorFunction, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { pair } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

describe('decodeText()', () => {
  test('decodes whole characters wherever they are cut, and keeps a byte order mark', () => {
    const text = '\uFEFFgrüße 🧦';
    const { values } = record(from([...Buffer.from(text)].map((byte) => Buffer.of(byte))).pipe(decodeText()));
    expect(values.join('')).toBe(text);
    expect(values).not.toContain('');
  });

  test('replaces a character that is cut off at the end by U+FFFD', () => {
    expect(record(of(Buffer.from('a🧦').subarray(0, 3)).pipe(decodeText())).values.join('')).toBe('a\uFFFD');
  });

  test('accepts other encodings, and rejects unknown ones at the call', () => {
    expect(record(of(Buffer.of(0xe9)).pipe(decodeText('latin1'))).values).toEqual(['é']);
    expect(() => decodeText('klingon')).toThrow(RangeError);
  });
});

describe('decodeEach()', () => {
  test('decodes no frame across two chunks', () => {
    const chunks = from(['a\nb', 'c\nd\n', ''].map((text) => Buffer.from(text)));
    expect(record(chunks.pipe(decodeEach(linesCodec()))).values).toEqual(['a', 'b', 'c', 'd']);
  });

  test('fails after the frames before it if a chunk ends inside a frame', () => {
    const chunk = Buffer.of(1, 65, 2, 66);
    const { values, log } = record(of(chunk).pipe(decodeEach(lengthPrefixedCodec({ lengthField: 1 }))));
    expect(values).toEqual([Buffer.of(65)]);
    expect(log.at(-1)).toBe('error:ERR_FRAME_TRUNCATED');
  });
});

describe('an operator of a codec has its own name in the holds', () => {
  test.each([
    ['delimited', delimited(';'), 'a;b;'],
    ['fixedLength', fixedLength(1), 'ab'],
    ['jsonLines', jsonLines(), '1\n2\n'],
    ['lengthPrefixed', lengthPrefixed({ lengthField: 1 }), '\u0001a\u0001b'],
    ['lines', lines(), 'a\nb\n'],
    ['netstrings', netstrings(), '1:a,1:b,'],
  ] as [string, OperatorFunction<Buffer, unknown>, string][])('%s', async (name, operator, text) => {
    const { socket, peer } = await pair();
    const stuck = mapWithBackpressure(() => NEVER, { highWaterMark: 1 });
    record(socket.pipe(data(), operator, stuck));
    peer.write(text.repeat(3));
    await expect.poll(() => socket.holds).toEqual([`${name} ← mapWithBackpressure`]);
  });
});

describe('encode()', () => {
  test('makes frames, and fails for a value that cannot be one', () => {
    const { values, log } = record(of('a', 'b\nc', 'd').pipe(encode(linesCodec())));
    expect(values).toEqual(['a\n']);
    expect(log.at(-1)).toBe('error:ERR_FRAME_MALFORMED');
  });
});

describe('discard()', () => {
  test('reads and drops, and completes when the socket has closed', async () => {
    const { socket, peer } = await pair();
    const { log, ended } = record(socket.pipe(discard()));
    peer.end(Buffer.alloc(1_000_000));
    peer.resume();
    expect(await ended).toEqual({});
    expect(log).toEqual(['complete']);
    expect(socket.bytesRead).toBe(1_000_000);
  });
});
