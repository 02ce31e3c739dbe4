// Large writes over TLS, by themselves: which pieces the stream receives, when, and who is told.
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { TlsWrites } from '../../src/engine/tls-writes.js';

const PIECE = 16 * 1024 * 1024;

/** A stream that keeps what is written until the test completes it. */
function slowStream() {
  const writes: { readonly bytes: Uint8Array; readonly done: (error?: Error) => void }[] = [];
  const stream = {
    writableLength: 0,
    write: (bytes: Uint8Array, done: (error?: Error) => void) => writes.push({ bytes, done }),
  };
  const tlsWrites = new TlsWrites(stream as unknown as Duplex);
  const lengths = () => writes.map(({ bytes }) => bytes.length);
  return { stream, writes, lengths, tlsWrites };
}

test('what fits into a piece, with what waits in the stream, may go to the stream as it is', () => {
  const { stream, tlsWrites } = slowStream();
  const most = [Buffer.alloc(PIECE - 10), Buffer.alloc(10)];
  expect(tlsWrites.fits([])).toBe(true);
  expect(tlsWrites.fits(most)).toBe(true);
  expect(tlsWrites.fits([...most, Buffer.alloc(1)])).toBe(false);
  stream.writableLength = 1;
  expect(tlsWrites.fits(most)).toBe(false);
  expect(tlsWrites.fits(most.slice(0, 1))).toBe(true);
});

test('a long write goes to the stream a piece at a time', () => {
  const { writes, lengths, tlsWrites } = slowStream();
  const bytes = Buffer.alloc(2 * PIECE + 1, 'a')
    .fill('b', PIECE, 2 * PIECE)
    .fill('c', 2 * PIECE);
  tlsWrites.write([bytes]);
  expect([lengths(), tlsWrites.waiting]).toEqual([[PIECE], PIECE + 1]);
  writes[0]!.done();
  expect([lengths(), tlsWrites.waiting]).toEqual([[PIECE, PIECE], 1]);
  writes[1]!.done();
  expect([lengths(), tlsWrites.waiting]).toEqual([[PIECE, PIECE, 1], 0]);
  writes[2]!.done();
  expect(writes.map(({ bytes: [first = 0] }) => String.fromCharCode(first)).join('')).toBe('abc');
});

test('pieces end where chunks end, and none is empty', () => {
  const { writes, lengths, tlsWrites } = slowStream();
  tlsWrites.write([Buffer.alloc(10), Buffer.alloc(2 * PIECE), Buffer.alloc(20)]);
  for (let index = 0; index < writes.length; index++) writes[index]!.done();
  expect(lengths()).toEqual([10, PIECE, PIECE, 20]);
});

test('a write waits behind the pieces of an earlier one, however small it is', () => {
  const { writes, lengths, tlsWrites } = slowStream();
  tlsWrites.write([Buffer.alloc(PIECE + 1)]);
  expect(tlsWrites.fits([Buffer.from('x')])).toBe(false);
  tlsWrites.write([Buffer.from('xy')]);
  expect(tlsWrites.waiting).toBe(3);
  writes[0]!.done();
  writes[1]!.done();
  expect([lengths(), tlsWrites.waiting]).toEqual([[PIECE, 1, 2], 0]);
  expect(tlsWrites.fits([Buffer.from('z')])).toBe(true);
});

test('behind a write that fails nothing more is written', () => {
  const { writes, tlsWrites } = slowStream();
  tlsWrites.write([Buffer.alloc(PIECE + 1)]);
  writes[0]!.done(new Error('EPIPE'));
  expect(writes.length).toBe(1);
});
