// The codec of the Redis client keeps the laws of every codec.
import { verifyCodec } from '@rxsock/core/fast-check';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Resp, RespError, RespPush, respCodec } from '../../examples/clients/codecs/resp.js';
import { propertyParameters } from '../support/property.js';

const line = fc.string().filter((text) => !/[\r\n]/.test(text));

const { value } = fc.letrec<{ value: Resp }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    line,
    fc.maxSafeInteger(),
    fc.double(),
    fc.bigInt(),
    fc.boolean(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.constant(null),
    line.map((text) => new RespError(text)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => new RespPush(items)),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => new Set(items)),
    fc.array(fc.tuple(line, tie('value')), { maxLength: 4 }).map((entries) => new Map<Resp, Resp>(entries)),
  ),
}));

test('keeps the laws of framing', () => {
  const hostile = fc
    .stringMatching(/^([-+:$*>%_~,#(!=]-?[0-9]{0,3}\r?\n?|[at\r\n]){0,8}$/)
    .map((text) => Buffer.from(text));

  verifyCodec(respCodec, { values: value, ...propertyParameters() });
  verifyCodec(respCodec, { values: value, inputs: hostile, ...propertyParameters() });
});

test.each([
  [',1.5\r\n', 1.5],
  [',-inf\r\n', Number.NEGATIVE_INFINITY],
  [',1e+21\r\n', 1e21],
  ['$-1\r\n', null],
  ['*-1\r\n', null],
  ['=6\r\ntxt:hi\r\n', Buffer.from('hi')],
  ['!6\r\nERR no\r\n', new RespError('ERR no')],
])('reads what servers write and it does not write itself: %j', (text, expected) => {
  const decoder = respCodec.decoder();
  decoder.push(Buffer.from(text));

  expect(decoder.next()).toEqual(expected);
});

test.each([
  ['a string', Buffer.from('$16777217\r\n')],
  ['a frame of several strings', Buffer.from('*2\r\n$9\r\n123456789\r\n$16777200\r\n')],
  ['a line', Buffer.alloc(64 * 1024 + 2, '+')],
  ['a frame of many lines', Buffer.from(`*1000\r\n${`+${'x'.repeat(60_000)}\r\n`.repeat(300)}`)],
  ['an array', Buffer.from('*1048577\r\n')],
  ['a frame of several arrays', Buffer.from('*2\r\n*1048570\r\n*10\r\n')],
])('rejects %s that is too long before it arrives', (_title, bytes) => {
  const decoder = respCodec.decoder();
  decoder.push(bytes);

  expect(() => decoder.next()).toThrow(expect.objectContaining({ code: 'ERR_FRAME_TOO_LONG' }));
});

test('rejects values that are nested too deep', () => {
  const decoder = respCodec.decoder();
  decoder.push(Buffer.from('*1\r\n'.repeat(17)));

  expect(() => decoder.next()).toThrow(expect.objectContaining({ code: 'ERR_FRAME_MALFORMED' }));
});
