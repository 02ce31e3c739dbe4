// The attack: a value that comes from a stranger holds what ends a frame, so that the peer reads a second command. The
// defence: no encoder writes a value that its own decoder would not give back as one.
import { delimitedCodec, encode, jsonLinesCodec, linesCodec, netstringsCodec, writeTo } from '@rxsock/core';
import { lastValueFrom, of } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startPeer } from '../support/peers/index.js';
import { dial, opened } from '../support/raw-peers.js';

const hostile = ['a\nQUIT', 'a\r\nQUIT', 'a\r\n.\r\nMAIL FROM:<b>', '\n', 'a\n'];

describe('lines', () => {
  test.each(hostile)('with LF are refused: %j', (value) => {
    expect(() => linesCodec().encode(value)).toThrow(expect.objectContaining({ name: 'FrameError', phase: 'write' }));
  });

  // The decoder would strip it, so the value would not come back.
  test('with a CR at the end are refused', () => {
    expect(() => linesCodec().encode('a\r')).toThrow(expect.objectContaining({ phase: 'write' }));
  });

  test.each(hostile.filter((value) => value.includes('\r\n')))('with CR LF are refused: %j', (value) => {
    expect(() => linesCodec({ delimiter: '\r\n' }).encode(value)).toThrow(expect.objectContaining({ phase: 'write' }));
  });

  test('whose end joins with the delimiter to an earlier one are refused', () => {
    expect(() => delimitedCodec('aa').encode(Buffer.from('xa'))).toThrow(expect.objectContaining({ phase: 'write' }));
  });
});

test.each(hostile)('JSON lines escape what would end them: %j', (value) => {
  const encoded = String(jsonLinesCodec().encode(value));
  expect(encoded.indexOf('\n')).toBe(encoded.length - 1);
});

test.each(hostile)('netstrings hold anything: %j', (value) => {
  const decoder = netstringsCodec().decoder();
  decoder.push(Buffer.from(netstringsCodec().encode(Buffer.from(value))));
  expect(String(decoder.next())).toBe(value);
  expect(decoder.next()).toBeUndefined();
});

test('the peer receives nothing of a value that is refused, and no FIN', async () => {
  const sink = startPeer('sink.pl');
  onTestFinished(() => sink.kill());
  const socket = dial({ port: Number(await sink.line()), keepOpen: true });
  await opened(socket);
  const sending = of('HELO', 'a\r\nQUIT', 'DATA').pipe(encode(linesCodec({ delimiter: '\r\n' })), writeTo(socket));
  await expect(lastValueFrom(sending)).rejects.toMatchObject({ code: 'ERR_FRAME_MALFORMED', phase: 'write' });
  sink.go();
  // Perhaps with the command before it.
  expect(['0 reset', '6 reset']).toContain(await sink.line());
});
