// A number of frames as one, by itself: reader() shows the rest of it.
import { linesCodec } from '@rxsock/core';
import { expect, test } from 'vitest';
import { severalCodec } from '../../src/framing/several.js';

const decode = (text: string, count: number) => {
  const decoder = severalCodec(linesCodec(), count).decoder();
  decoder.push(Buffer.from(text));
  return decoder;
};

test('gives its frames once, and the rest is what is behind them', () => {
  const decoder = decode('1\n2\n3\n4', 2);
  expect(decoder.next()).toEqual(['1', '2']);
  expect(decoder.next()).toBeUndefined();
  decoder.push(Buffer.from('\n'));
  expect(decoder.next()).toBeUndefined();
  expect(Buffer.from(decoder.rest()).toString()).toBe('3\n4\n');
});

test('takes nothing until all are there', () => {
  const decoder = decode('1\n2\n', 3);
  expect(decoder.next()).toBeUndefined();
  expect(Buffer.from(decoder.rest()).toString()).toBe('1\n2\n');
  decoder.push(Buffer.from('3'));
  expect(decoder.next()).toBeUndefined();
  decoder.end();
  expect(decoder.next()).toEqual(['1', '2', '3']);
  expect(decoder.rest()).toHaveLength(0);
});

test('no frames are none', () => {
  const decoder = decode('', 2);
  decoder.end();
  expect(decoder.next()).toBeUndefined();
});
