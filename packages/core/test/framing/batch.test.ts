// several() decodes a number of frames as one. It is tested on its own here; the tests of reader() cover the rest.
import { linesCodec } from '@rxsock/core';
import { expect, test } from 'vitest';
import { batchCodec } from '../../src/framing/batch.js';

const decode = (text: string, count: number) => {
  const decoder = batchCodec(linesCodec(), count).decoder();
  decoder.push(Buffer.from(text));
  return decoder;
};

test('returns its frames once, and rest() is what follows them', () => {
  const decoder = decode('1\n2\n3\n4', 2);
  expect(decoder.next()).toEqual(['1', '2']);
  expect(decoder.next()).toBeUndefined();
  decoder.push(Buffer.from('\n'));
  expect(decoder.next()).toBeUndefined();
  expect(Buffer.from(decoder.rest()).toString()).toBe('3\n4\n');
});

test('takes nothing until all frames are there', () => {
  const decoder = decode('1\n2\n', 3);
  expect(decoder.next()).toBeUndefined();
  expect(Buffer.from(decoder.rest()).toString()).toBe('1\n2\n');
  decoder.push(Buffer.from('3'));
  expect(decoder.next()).toBeUndefined();
  decoder.end();
  expect(decoder.next()).toEqual(['1', '2', '3']);
  expect(decoder.rest()).toHaveLength(0);
});

test('returns fewer frames at the end of the input, once', () => {
  const decoder = decode('1\n2\n', 3);
  decoder.end();
  expect(decoder.next()).toEqual(['1', '2']);
  expect(decoder.next()).toBeUndefined();
});

test('until it is complete rest() is everything, in long chunks and short ones', () => {
  const decoder = decode('1\n', 3);
  const [long, longer] = [`${'x'.repeat(600)}\n`, 'y'.repeat(700)];
  for (const chunk of [long, '2', longer, '3', '4']) decoder.push(Buffer.from(chunk));
  expect(decoder.next()).toBeUndefined();
  expect(String(decoder.rest())).toBe(`1\n${long}2${longer}34`);
});

test('zero frames decode to an empty list', () => {
  const decoder = decode('', 2);
  decoder.end();
  expect(decoder.next()).toBeUndefined();
});
