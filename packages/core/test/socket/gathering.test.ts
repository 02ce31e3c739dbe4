// Writes of one turn reach the kernel as one system call. Only the kernel can see the difference.
import { once } from 'node:events';
import net from 'node:net';
import { Duplex } from 'node:stream';
import { data, fromDuplex, type Socket } from '@rxsock/core';
import { expect, onTestFinished, test } from 'vitest';
import { dial, drainRaw, opened, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { controlOf } from '../../src/socket.js';

interface Gathering {
  readonly socket: Socket;
  /** The stream beneath. */
  readonly stream: net.Socket;
  readonly peer: net.Socket;
  /** The bytes of each system call that wrote. */
  readonly calls: string[];
}

/**
 * An open socket, and the system calls it makes.
 * @param slow If given, the kernel takes a write when the test calls the next of these functions.
 */
async function gathering(options?: Parameters<typeof fromDuplex>[1], slow?: (() => void)[]): Promise<Gathering> {
  const server = await rawServer();
  const stream = net.connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
  const [peer] = await Promise.all([server.next(), once(stream, 'connect')]);
  const calls: string[] = [];
  const { _write, _writev } = stream;
  stream._write = (chunk: Buffer, encoding, done) => {
    calls.push(String(chunk));
    if (slow) slow.push(done);
    else _write.call(stream, chunk, encoding, done);
  };
  stream._writev = (chunks: { chunk: Buffer }[], done) => {
    calls.push(chunks.map(({ chunk }) => String(chunk)).join(''));
    if (slow) slow.push(done);
    else _writev?.call(stream, chunks as never, done);
  };
  const socket = fromDuplex(stream, { keepOpen: true, ...options });
  onTestFinished(() => socket.error());
  await opened(socket);
  return { socket, stream, peer, calls };
}

const nextTurn = () => new Promise(setImmediate);

test('writes of one turn are one system call, after the turn', async () => {
  const { socket, peer, calls } = await gathering();
  for (const chunk of ['a', 'b', 'c']) socket.next(chunk);
  expect(calls).toEqual([]);
  expect(socket).toMatchObject({ bytesWritten: 0, writableLength: 3 });
  await nextTurn();
  socket.next('d');
  await nextTurn();
  expect(calls).toEqual(['abc', 'd']);
  expect(socket).toMatchObject({ bytesWritten: 4, writableLength: 0 });
  socket.complete();
  expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('abcd'), end: 'end' });
});

test('writes of promises are one system call, too, when one settles after the other', async () => {
  const { socket, calls } = await gathering();
  const soon = Promise.resolve();
  await Promise.all([soon.then(() => socket.next('a')), soon.then(() => soon).then(() => socket.next('b'))]);
  await nextTurn();
  expect(calls).toEqual(['ab']);
});

test('each write() of a turn is answered', async () => {
  const { socket, calls } = await gathering();
  await Promise.all([socket.write('a'), socket.write('b')]);
  expect(socket.bytesWritten).toBe(2);
  await socket.write('c');
  expect(calls).toEqual(['ab', 'c']);
});

test.each([
  [undefined, 16 * 1024],
  [{ highWaterMark: 10 }, 10],
])('with %j, %i bytes do not wait for the end of the turn', async (options, enough) => {
  const { socket, calls } = await gathering(options);
  socket.next('a'.repeat(enough - 1));
  expect(calls).toEqual([]);
  socket.next('b');
  expect(calls.map((bytes) => bytes.length)).toEqual([enough]);
  socket.next('c'.repeat(enough));
  expect(calls).toHaveLength(2);
});

test('while a slow peer has not taken all that the stream has, new writes wait, to leave as one', async () => {
  const taken: (() => void)[] = [];
  const { socket, stream, calls } = await gathering(undefined, taken);
  socket.next('a');
  await nextTurn();
  socket.next('b');
  controlOf(socket).writeSide.flush();
  expect([calls, stream.writableLength]).toEqual([['a'], 2]);
  taken.shift()?.();
  expect([calls, stream.writableLength]).toEqual([['a', 'b'], 1]);
  for (const chunk of ['c', 'd']) {
    socket.next(chunk);
    await nextTurn();
  }
  expect([calls, stream.writableLength]).toEqual([['a', 'b'], 1]);
  taken.shift()?.();
  expect(calls).toEqual(['a', 'b', 'cd']);
});

test('complete() sends FIN behind the writes at once', async () => {
  const { socket, peer, calls } = await gathering();
  socket.next('a');
  socket.next('b');
  socket.complete();
  expect(calls).toEqual(['ab']);
  expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('ab'), end: 'end' });
});

test('error() does not take back earlier writes', async () => {
  const { socket, peer, calls } = await gathering();
  socket.next('a');
  socket.next('b');
  socket.error();
  expect(calls).toEqual(['ab']);
  const { log, ended } = record(fromDuplex(peer).pipe(data()));
  await ended;
  expect(log).toEqual(['ab', 'error:ECONNRESET']);
});

test('writes before the socket is open go out as one', async () => {
  const server = await rawServer();
  const socket = dial({ port: server.port, keepOpen: true });
  for (const chunk of ['a', 'b', 'c']) socket.next(chunk);
  const written = socket.write('d');
  const peer = await server.next();
  const [first] = (await once(peer.resume(), 'data')) as [Buffer];
  expect(first.toString()).toBe('abcd');
  await written;
});

test('a stream that is not a kernel socket gets each write at once', async () => {
  const calls: string[] = [];
  const stream = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      calls.push(String(chunk));
      done();
    },
  });
  const socket = fromDuplex(stream, { keepOpen: true });
  onTestFinished(() => socket.error());
  await opened(socket);
  socket.next('a');
  socket.next('b');
  expect(calls).toEqual(['a', 'b']);
});

test('gathered writes do not count as a slow peer', async () => {
  const { socket, calls } = await gathering({ maxWriteBuffer: 1000 });
  for (let n = 0; n < 4; n++) expect(socket.next('a'.repeat(600))).toBe(true);
  await socket.write('');
  expect(calls.join('')).toHaveLength(2400);
});

test('thousands of small writes of a turn are joined and leave as one', async () => {
  const { socket, calls } = await gathering();
  for (let n = 0; n < 3000; n++) socket.next('a');
  expect(calls).toEqual([]);
  socket.complete();
  expect(calls).toEqual(['a'.repeat(3000)]);
  expect(socket).toMatchObject({ bytesWritten: 3000, writableLength: 0 });
});

test('small and large chunks keep their order, and only the small ones are copied', async () => {
  const { socket, peer } = await gathering({ highWaterMark: 1_000_000 });
  const parts = ['a', 'b', 'c'.repeat(600), 'd', 'e'.repeat(5000), 'f', 'g'];
  for (const part of parts) socket.next(part);
  socket.complete();
  expect((await drainRaw(peer)).bytes.toString()).toBe(parts.join(''));
});

test('while the kernel takes nothing, small chunks of later turns do not go to the stream, where each would be kept', async () => {
  const { socket, stream } = await gathering({ highWaterMark: 100_000_000 });
  while (socket.writableLength < 1_000_000) {
    socket.next(Buffer.alloc(1_000_000, 'x'));
    await nextTurn();
  }
  const waiting = stream.writableLength;
  for (let n = 0; n < 1000; n++) {
    socket.next('.');
    await nextTurn();
  }
  expect(stream.writableLength).toBeLessThanOrEqual(waiting);
  expect(socket.writableLength - stream.writableLength).toBeGreaterThanOrEqual(1000);
});

test('a small chunk may be changed after the turn, even if the kernel does not take it', async () => {
  const { socket, peer } = await gathering({ highWaterMark: 100_000_000 });
  while (socket.writableLength < 1_000_000) {
    socket.next(Buffer.alloc(1_000_000, 'x'));
    await nextTurn();
  }
  const pair = [Buffer.from('one'), Buffer.from('two')];
  for (const chunk of pair) socket.next(chunk);
  for (let n = 0; n < 1024; n++) socket.next('.');
  for (const chunk of pair) chunk.fill('!');
  socket.complete();
  expect((await drainRaw(peer)).bytes.toString()).toMatch(/^x+onetwo\.{1024}$/);
});
