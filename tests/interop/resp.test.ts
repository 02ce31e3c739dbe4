// The codec of the Redis tests keeps the laws of every codec.
import { verifyCodec } from '@rxsock/core/fast-check';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { propertyParameters } from '../support/property.js';
import { type Resp, RespError, RespPush, respCodec } from './resp.js';

const line = fc.string().filter((text) => !/[\r\n]/.test(text));

const { value } = fc.letrec<{ value: Resp }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    line,
    fc.maxSafeInteger().filter((n) => Math.abs(n) < 1e15),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.constant(null),
    line.map((text) => new RespError(text)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => new RespPush(items)),
    fc.array(fc.tuple(line, tie('value')), { maxLength: 4 }).map((entries) => new Map<Resp, Resp>(entries)),
  ),
}));

test('keeps the laws of framing', () => {
  const hostile = fc.stringMatching(/^([-+:$*>%_]-?[0-9]{0,3}\r?\n?|[a\r\n]){0,8}$/).map((text) => Buffer.from(text));

  verifyCodec(respCodec, { values: value, ...propertyParameters() });
  verifyCodec(respCodec, { values: value, inputs: hostile, ...propertyParameters() });
});

test.each([
  ['a string', Buffer.from('$16777217\r\n')],
  ['a line', Buffer.alloc(64 * 1024 + 2, '+')],
  ['an array', Buffer.from('*1048577\r\n')],
])('rejects %s that is too long before it arrives', (_title, bytes) => {
  const decoder = respCodec.decoder();
  decoder.push(bytes);

  expect(() => decoder.next()).toThrow(expect.objectContaining({ code: 'ERR_FRAME_TOO_LONG' }));
});
