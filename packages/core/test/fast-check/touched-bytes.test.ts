// The count of touched bytes: exact, and without a trace.
import { expect, test } from 'vitest';
import { countTouchedBytes } from '../../src/fast-check/touched-bytes.js';

const bytes = Buffer.from('0123456789');

test.each<[string, number, () => unknown]>([
  ['Buffer.concat()', 20, () => Buffer.concat([bytes, bytes])],
  ['Buffer.from()', 10, () => Buffer.from(bytes)],
  ['copy() of a part', 3, () => bytes.copy(Buffer.alloc(9), 0, 2, 5)],
  ['toString() of a part', 4, () => bytes.toString('latin1', 1, 5)],
  ['indexOf() up to what it finds', 4, () => bytes.indexOf('4')],
  ['indexOf() from a position to the end', 8, () => bytes.indexOf('x', 2)],
  ['lastIndexOf() back to what it finds', 6, () => bytes.lastIndexOf('4')],
  ['includes()', 10, () => bytes.includes('9')],
  ['set()', 10, () => new Uint8Array(12).set(bytes, 1)],
  ['slice() of a Uint8Array', 2, () => Uint8Array.of(1, 2, 3).slice(1)],
  ['TextDecoder', 10, () => new TextDecoder().decode(bytes)],
  ['subarray(), which copies nothing', 0, () => bytes.subarray(2, 4)],
])('counts %s', (_, expected, run) => {
  expect(countTouchedBytes(run)).toBe(expected);
});

test('puts every method back, also after an error', () => {
  const before = [Buffer.concat, Buffer.from, Buffer.prototype.copy, Uint8Array.prototype.set];
  expect(() =>
    countTouchedBytes(() => {
      expect(Buffer.concat).not.toBe(before[0]);
      throw new RangeError('odd');
    }),
  ).toThrow('odd');
  expect([Buffer.concat, Buffer.from, Buffer.prototype.copy, Uint8Array.prototype.set]).toEqual(before);
  expect(Object.hasOwn(Uint8Array.prototype, 'set')).toBe(false);
});
