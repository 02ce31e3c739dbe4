// The codecs of the example clients, without their clients.
import { verifyCodec } from '@rxsock/core/fast-check';
import fc from 'fast-check';
import { lastValueFrom, map, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { type IrcMessage, ircCodec } from '../../examples/clients/codecs/irc.js';
import { mailBytes } from '../../examples/clients/codecs/smtp.js';
import { propertyParameters } from '../support/property.js';

describe('ircCodec', () => {
  const word = fc.stringMatching(/^[^ :\r\n\0][^ \r\n\0]{0,8}$/);
  const last = fc.stringMatching(/^[^\r\n\0]{0,20}$/);
  const params = fc.tuple(fc.array(word, { maxLength: 3 }), last).map(([words, text]) => [...words, text]);
  const command = fc.stringMatching(/^([A-Z]{1,8}|[0-9]{3})$/);
  const message: fc.Arbitrary<IrcMessage> = fc.oneof(
    fc.record({ command, params }),
    fc.record({ from: word, command, params: fc.oneof(params, fc.constant([])) }),
  );

  test('keeps the laws of framing', () => {
    verifyCodec(ircCodec, { values: message, ...propertyParameters() });
  });

  test.each([
    ['PING irc.test\r\n', { command: 'PING', params: ['irc.test'] }],
    [':a!b@c  PRIVMSG  #rx  ::) hi \r\n', { from: 'a!b@c', command: 'PRIVMSG', params: ['#rx', ':) hi '] }],
    ['\r\n:only-a-prefix\r\n 001 :hi\r\nQUIT\r\n', { command: 'QUIT', params: [] }],
    [`${'x'.repeat(511)}\r\nQUIT :\r\n`, { command: 'QUIT', params: [''] }],
  ])('reads %j', (text, expected) => {
    const decoder = ircCodec.decoder();
    decoder.push(Buffer.from(text));
    expect(decoder.next()).toEqual(expected);
    expect(decoder.next()).toBeUndefined();
  });

  test.each([
    [['hi\r\nQUIT'], 'A message is one line'],
    [['hi\nQUIT'], 'A message is one line'],
    [['#a b', 'hi'], 'Only the last parameter'],
    [['', 'hi'], 'Only the last parameter'],
    [[':x', 'hi'], 'Only the last parameter'],
    [['x'.repeat(511)], '510'],
  ])('does not send the parameters %j', (params, problem) => {
    expect(() => ircCodec.encode({ command: 'PRIVMSG', params })).toThrow(problem);
  });
});

describe('mailBytes()', () => {
  const wire = (mail: Uint8Array) => {
    async function* source() {
      for (const byte of mail) yield Buffer.of(byte);
    }
    return lastValueFrom(
      mailBytes(source()).pipe(
        map((chunk) => Buffer.from(chunk as string)),
        toArray(),
        map((chunks) => Buffer.concat(chunks)),
      ),
    );
  };

  test.each([
    ['a\nb\r\nc', 'a\r\nb\r\nc\r\n'],
    ['.\n', '..\r\n'],
    ['..a\n\n.', '...a\r\n\r\n..\r\n'],
  ])('sends %j as %j', async (mail, expected) => {
    expect((await wire(Buffer.from(mail))).toString()).toBe(expected);
  });

  test('keeps all bytes above ASCII', async () => {
    const bytes = Buffer.from(Array.from({ length: 128 }, (_, i) => 128 + i));
    expect(await wire(bytes)).toEqual(Buffer.concat([bytes, Buffer.from('\r\n')]));
  });

  test('refuses what some servers take for the end of the mail', async () => {
    await expect(wire(Buffer.from('a\n.\rMAIL FROM:<b>\n'))).rejects.toThrow('CR without LF');
  });
});
