// Writes of one turn reach the kernel as one system call. Only the kernel can see the difference.
import { once } from 'node:events';
import net from 'node:net';
import { Duplex } from 'node:stream';
import { data, fromDuplex, type Socket } from '@rxsock/core';
import { expect, onTestFinished, test } from 'vitest';
import { dial, drainRaw, opened, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

interface Gathering {
  readonly socket: Socket;
  readonly peer: net.Socket;
  /** The system calls that wrote, each as the list of its chunks. */
  readonly calls: string[][];
}

/** An open socket, and the system calls it makes. */
async function gathering(options?: Parameters<typeof fromDuplex>[1]): Promise<Gathering> {
  const server = await rawServer();
  const stream = net.connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
  const [peer] = await Promise.all([server.next(), once(stream, 'connect')]);
  const calls: string[][] = [];
  const { _write, _writev } = stream;
  stream._write = (chunk: Buffer, encoding, done) => {
    calls.push([String(chunk)]);
    _write.call(stream, chunk, encoding, done);
  };
  stream._writev = (chunks: { chunk: Buffer }[], done) => {
    calls.push(chunks.map(({ chunk }) => String(chunk)));
    _writev?.call(stream, chunks as never, done);
  };
  const socket = fromDuplex(stream, { keepOpen: true, ...options });
  onTestFinished(() => socket.error());
  await opened(socket);
  return { socket, peer, calls };
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
  expect(calls).toEqual([['a', 'b', 'c'], ['d']]);
  expect(socket).toMatchObject({ bytesWritten: 4, writableLength: 0 });
  socket.complete();
  expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('abcd'), end: 'end' });
});

test('writes of promises are one system call, too, when one settles after the other', async () => {
  const { socket, calls } = await gathering();
  const soon = Promise.resolve();
  await Promise.all([soon.then(() => socket.next('a')), soon.then(() => soon).then(() => socket.next('b'))]);
  await nextTurn();
  expect(calls).toEqual([['a', 'b']]);
});

test('each write() of a turn is answered', async () => {
  const { socket, calls } = await gathering();
  await Promise.all([socket.write('a'), socket.write('b')]);
  expect(socket.bytesWritten).toBe(2);
  await socket.write('c');
  expect(calls).toEqual([['a', 'b'], ['c']]);
});

test.each([
  [undefined, 16 * 1024],
  [{ highWaterMark: 10 }, 10],
])('with %j, %i bytes do not wait for the end of the turn', async (options, enough) => {
  const { socket, calls } = await gathering(options);
  socket.next('a'.repeat(enough - 1));
  expect(calls).toEqual([]);
  socket.next('b');
  expect(calls.map((chunks) => chunks.map((chunk) => chunk.length))).toEqual([[enough - 1, 1]]);
  socket.next('c'.repeat(enough));
  expect(calls).toHaveLength(2);
});

test('complete() sends FIN behind the writes at once', async () => {
  const { socket, peer, calls } = await gathering();
  socket.next('a');
  socket.next('b');
  socket.complete();
  expect(calls).toEqual([['a', 'b']]);
  expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('ab'), end: 'end' });
});

test('error() does not take back earlier writes', async () => {
  const { socket, peer, calls } = await gathering();
  socket.next('a');
  socket.next('b');
  socket.error();
  expect(calls).toEqual([['a', 'b']]);
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
  expect(calls.flat().join('')).toHaveLength(2400);
});

test('no more chunks are gathered than the kernel takes in one call', async () => {
  const { socket, calls } = await gathering();
  for (let n = 0; n < 3000; n++) socket.next('a');
  expect(calls.map((chunks) => chunks.length)).toEqual([1024, 1024]);
  socket.complete();
  expect(calls.map((chunks) => chunks.length)).toEqual([1024, 1024, 952]);
  expect(socket).toMatchObject({ bytesWritten: 3000, writableLength: 0 });
});
