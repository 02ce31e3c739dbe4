// What JavaScript lets through and TypeScript would not: errors that say what was expected.
import { connect, framed, linesCodec, listen, opened, reader, relay, sendFile, through, writeTo } from '@rxsock/core';
import { lastValueFrom, of } from 'rxjs';
import { expect, test } from 'vitest';

const wrong = { port: 1 } as never;
const needed = /^A Socket is needed here, .*, not Object$/;

test.each<[string, () => Promise<unknown>]>([
  ['through', () => lastValueFrom(of('x').pipe(through(wrong)))],
  ['writeTo', () => lastValueFrom(of('x').pipe(writeTo(wrong)))],
  ['sendFile', () => lastValueFrom(sendFile(wrong, 'package.json'))],
  ['relay', async () => relay(wrong, wrong)],
  ['reader', async () => reader(wrong)],
  ['framed', async () => framed(wrong, linesCodec())],
  ['opened', () => lastValueFrom(opened(wrong))],
])('%s takes a Socket', async (_name, act) => {
  await expect(act()).rejects.toThrow(needed);
});

test.each([8080, '8080', null])('the options are no %j', (options) => {
  expect(() => listen(options as never)).toThrow(TypeError);
  expect(() => connect(options as never)).toThrow(TypeError);
});

test.each([Number.POSITIVE_INFINITY, 1.5])('highWaterMark: %d is no number of bytes', (highWaterMark) => {
  const message = `highWaterMark must be a whole number of bytes, not ${highWaterMark}`;
  expect(() => connect({ port: 1, highWaterMark })).toThrow(new RangeError(message));
  expect(() => listen({ highWaterMark })).toThrow(new RangeError(message));
});
