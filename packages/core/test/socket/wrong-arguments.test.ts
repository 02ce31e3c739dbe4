// Arguments that JavaScript allows and TypeScript does not: the errors say what was expected.
import {
  connect,
  data,
  framed,
  linesCodec,
  listen,
  opened,
  reader,
  relay,
  sendFile,
  sendFrom,
  through,
  toDuplex,
  toWritableStream,
  writeTo,
} from '@rxsock/core';
import { lastValueFrom, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { pair } from '../../../../tests/support/raw-peers.js';

const wrong = { port: 1 } as never;
const expected = /^Expected a Socket, made by .*, not \[Object\]$/;

test.each<[string, () => unknown]>([
  ['through', () => through(wrong)],
  ['writeTo', () => writeTo(wrong)],
  ['sendFile', () => sendFile(wrong, 'package.json')],
  ['sendFrom', () => sendFrom(wrong, ['x'])],
  ['relay', () => relay(wrong, wrong)],
  ['reader', () => reader(wrong)],
  ['framed', () => framed(wrong, linesCodec())],
  ['opened', () => opened(wrong)],
  ['toDuplex', () => toDuplex(wrong)],
  ['toWritableStream', () => toWritableStream(wrong)],
])('%s takes only a Socket', (_name, call) => {
  expect(call).toThrow(TypeError);
  expect(call).toThrow(expected);
});

test.each(['abc', null, undefined, 5, [1, 2, 3]])('unshift(%j) gives nothing back', async (bytes) => {
  const { socket, peer } = await pair();
  expect(() => socket.unshift(bytes as never)).toThrow(/^bytes must be a Uint8Array, not /);
  peer.end('xyz');
  expect(Buffer.concat(await lastValueFrom(socket.pipe(data(), toArray()))).toString()).toBe('xyz');
});

test.each([8080, '8080', null])('rejects %j as options', (options) => {
  expect(() => listen(options as never)).toThrow(TypeError);
  expect(() => connect(options as never)).toThrow(TypeError);
});

test.each([Number.POSITIVE_INFINITY, 1.5])('rejects highWaterMark: %d', (highWaterMark) => {
  const message = `highWaterMark must be a whole number of bytes, not ${highWaterMark}`;
  expect(() => connect({ port: 1, highWaterMark })).toThrow(new RangeError(message));
  expect(() => listen({ highWaterMark })).toThrow(new RangeError(message));
});
