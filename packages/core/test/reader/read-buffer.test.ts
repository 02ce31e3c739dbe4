// The buffer of a reader: what it takes from the first chunk, what it leaves to a decoder, and what it lets go.
import { expect, test } from 'vitest';
import { garbageCollected } from '../../../../tests/support/garbage.js';
import { ReadBuffer } from '../../src/reader/read-buffer.js';

function bufferOf(...chunks: string[]): ReadBuffer {
  const buffer = new ReadBuffer();
  for (const chunk of chunks) buffer.push(Buffer.from(chunk));
  return buffer;
}

/** What is left, chunk by chunk. */
const left = (buffer: ReadBuffer) => buffer.drain().map(String);

test.each([
  [['ab;cd'], ';', 9, 'ab', ['cd']],
  [['ab::cd'], '::', 9, 'ab', ['cd']],
  [['ab:;cd'], ':;', 9, 'ab', ['cd']],
  [[';cd'], ';', 9, '', ['cd']],
  [['ab;', 'cd'], ';', 9, 'ab', ['cd']],
  [['ab;cd'], ';', 2, 'ab', ['cd']],
  [['ab;cd'], ';', 1, undefined, ['ab;cd']],
  [['abcd'], ';', 9, undefined, ['abcd']],
  [['ab', ';'], ';', 9, undefined, ['ab', ';']],
  [[], ';', 9, undefined, []],
])('takeUntil(): %j up to %j, at most %i', (chunks, delimiter, maxLength, taken, rest) => {
  const buffer = bufferOf(...chunks);
  expect(buffer.takeUntil(Buffer.from(delimiter), maxLength)?.toString()).toBe(taken);
  expect(left(buffer)).toEqual(rest);
});

test.each([
  [['ab\ncd'], 9, 'ab', ['cd']],
  [['ab\r\ncd'], 9, 'ab', ['cd']],
  [['a\rb\r\r\n'], 9, 'a\rb\r', []],
  [['\ncd'], 9, '', ['cd']],
  [['\r\ncd'], 9, '', ['cd']],
  [['ab\r\n'], 2, 'ab', []],
  [['ab\n'], 1, undefined, ['ab\n']],
  [['abc'], 9, undefined, ['abc']],
  [['ab', '\n'], 9, undefined, ['ab', '\n']],
  [[], 9, undefined, []],
])('takeLine(): %j, at most %i', (chunks, maxLength, taken, rest) => {
  const buffer = bufferOf(...chunks);
  expect(buffer.takeLine(maxLength)).toBe(taken);
  expect(left(buffer)).toEqual(rest);
});

test('later frames of a chunk are measured from where they begin', () => {
  const buffer = bufferOf('abc;de;\nfg\nxyz');
  expect(buffer.takeUntil(Buffer.from(';'), 3)?.toString()).toBe('abc');
  expect(buffer.takeUntil(Buffer.from(';'), 2)?.toString()).toBe('de');
  expect([buffer.takeLine(2), buffer.takeLine(2)]).toEqual(['', 'fg']);
  expect(buffer.take(4)).toBeUndefined();
  expect(buffer.take(3)?.toString()).toBe('xyz');
  expect(buffer.empty).toBe(true);
});

test('a CR that belongs to the line before does not end an empty line', () => {
  const buffer = bufferOf('a\r;\n');
  expect(buffer.takeUntil(Buffer.from(';'), 9)?.toString()).toBe('a\r');
  expect(buffer.takeLine(9)).toBe('');
});

test('bytes that come back are read again, from wherever they come', () => {
  const buffer = bufferOf('abcdef');
  expect(buffer.portion(4)?.toString()).toBe('abcd');
  buffer.unread(Buffer.from('cd'));
  expect(buffer.portion(9)?.toString()).toBe('cdef');
  buffer.unread(Buffer.from('cdef'));
  buffer.unread(Buffer.from('XY'));
  buffer.unread(Buffer.alloc(0));
  expect(left(buffer)).toEqual(['XY', 'cdef']);
  const longer = bufferOf('ab');
  longer.portion(1);
  longer.unread(Buffer.from('12345'));
  expect(left(longer)).toEqual(['12345', 'b']);
});

test('an empty chunk is no chunk', () => {
  expect(left(bufferOf('', 'a', ''))).toEqual(['a']);
});

test('a chunk that is used up is released at once', async () => {
  const buffer = new ReadBuffer();
  const memory = (() => {
    const chunk = Buffer.from(new ArrayBuffer(1000));
    buffer.push(chunk);
    buffer.take(1000);
    return new WeakRef(chunk.buffer);
  })();
  expect(await garbageCollected(memory)).toBe(true);
  expect(buffer.empty).toBe(true);
});
