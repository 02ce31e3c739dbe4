// reader(): a dialogue by await, what is left at the end, and that nothing is lost on the way.
import { data, lengthPrefixedCodec, type ReaderOptions, reader } from '@rxsock/core';
import { firstValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { Clock } from '../support/clock.js';
import { pair } from '../support/peers.js';
import { turns } from '../support/turns.js';

/** A reader at a socket whose peer has sent this, and FIN if it is the end. */
async function reading(text: string, { end = true, ...options }: ReaderOptions & { readonly end?: boolean } = {}) {
  const { socket, peer } = await pair({ allowHalfOpen: true });
  if (end) peer.end(text);
  else peer.write(text);
  return { socket, peer, read: reader(socket, options) };
}

test('reads bytes, lines, up to a delimiter, frames of a codec and the rest, each from where the last one ended', async () => {
  const { read } = await reading('HELO me\r\nabc--\0\u0003xyz and all the rest');
  expect(await read.readLine()).toBe('HELO me');
  expect((await read.read(2)).toString()).toBe('ab');
  expect((await read.readUntil('--')).toString()).toBe('c');
  expect((await read.readFrame(lengthPrefixedCodec({ lengthField: 2 })))?.toString()).toBe('xyz');
  expect((await read.readAll()).toString()).toBe(' and all the rest');
});

test('reads that do not wait for each other are answered in their order', async () => {
  const { read } = await reading('1\n2\n3');
  const lines = [read.readLine(), read.readLine(), read.readLine(), read.readLine()];
  expect(await Promise.all(lines)).toEqual(['1', '2', '3', undefined]);
});

test('nothing and zero bytes', async () => {
  const { read } = await reading('x');
  expect(await read.read(0)).toHaveLength(0);
  expect((await read.readAll()).toString()).toBe('x');
  expect(await read.readAll()).toHaveLength(0);
});

describe('at the end of the input', () => {
  test('what has no length is what is left, and then undefined', async () => {
    const { read } = await reading('last');
    expect(await read.readLine()).toBe('last');
    expect(await read.readLine()).toBeUndefined();
  });

  test('what is too short is an error, and is still there', async () => {
    const { read } = await reading('abc');
    await expect(read.read(4)).rejects.toMatchObject({ code: 'ERR_FRAME_TRUNCATED', buffered: 3 });
    await expect(read.readUntil('\n')).rejects.toMatchObject({ code: 'ERR_FRAME_TRUNCATED', buffered: 3 });
    expect((await read.read(3)).toString()).toBe('abc');
    await expect(read.read(1)).rejects.toMatchObject({ code: 'ERR_FRAME_TRUNCATED', buffered: 0 });
  });

  test('a reset is no end: what came is read, and then its error', async () => {
    const { peer, read } = await reading('a line\nhalf', { end: false });
    expect(await read.readLine()).toBe('a line');
    const half = read.readLine();
    peer.resetAndDestroy();
    await expect(half).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await read.read(4)).toString()).toBe('half');
  });
});

test('a line over the limit is an error, and nothing is lost', async () => {
  const { read } = await reading('abcdef\n', { maxLength: 3 });
  await expect(read.readLine()).rejects.toMatchObject({ code: 'ERR_FRAME_TOO_LONG', limit: 3 });
  await expect(read.readAll()).rejects.toMatchObject({ code: 'ERR_FRAME_TOO_LONG', limit: 3 });
  expect((await read.read(7)).toString()).toBe('abcdef\n');
});

test('a read that comes too late is an error, and nothing is lost', async () => {
  const scheduler = new Clock();
  const { socket, peer } = await pair({ scheduler });
  const read = reader(socket, { timeout: 1000 });
  const late = read.readLine();
  peer.write('half ');
  await expect.poll(() => socket.bytesRead).toBe(5);
  scheduler.pass(1000);
  await expect(late).rejects.toMatchObject({ code: 'ETIMEDOUT', timeout: 'timeout', milliseconds: 1000 });
  peer.write('a line\n');
  expect(await read.readLine({ timeout: 0 })).toBe('half a line');
});

test('the peer has to wait while nobody reads', async () => {
  const { socket, peer } = await pair({ highWaterMark: 1000 });
  const read = reader(socket);
  for (let i = 0; i < 20; i++) peer.write(Buffer.alloc(1_000_000));
  await read.read(10);
  await turns();
  expect(socket.bytesRead).toBeLessThan(4 * 65_536);
  expect(socket.holds).toEqual(['reader']);
  expect(peer.writableLength).toBeGreaterThan(0);
});

test('iterates over what comes from where it stands, and goes on behind it', async () => {
  const { peer, read } = await reading('head\nbody', { end: false });
  expect(await read.readLine()).toBe('head');
  for await (const chunk of read) {
    expect(chunk.toString()).toBe('body');
    break;
  }
  peer.end('tail');
  let rest = '';
  for await (const chunk of read) rest += chunk;
  expect(rest).toBe('tail');
});

test('gives back what it has not used, and holds nothing any more', async () => {
  const { socket, read } = await reading('one\ntwo\nthree', { end: false });
  expect(await read.readLine()).toBe('one');
  const waiting = read.read(1000);
  await turns();
  read.release();
  await expect(waiting).rejects.toThrow('released');
  expect(socket.holds).toEqual([]);
  expect((await firstValueFrom(socket.pipe(data()))).toString()).toBe('two\nthree');
  await expect(read.readLine()).rejects.toThrow('released');
});

test('a second reader is refused until the first is released', async () => {
  const { socket, read } = await reading('one\ntwo\n', { end: false });
  expect(() => reader(socket)).toThrow(expect.objectContaining({ code: 'ERR_READER_EXISTS' }));
  expect(await read.readLine()).toBe('one');
  read.release();
  using next = reader(socket);
  expect(await next.readLine()).toBe('two');
});

test('leaves at the end of its block', async () => {
  const { socket } = await pair();
  {
    using read = reader(socket);
    expect(read).toBeDefined();
    expect(socket.holds).toEqual(['reader']);
  }
  expect(socket.holds).toEqual([]);
});
