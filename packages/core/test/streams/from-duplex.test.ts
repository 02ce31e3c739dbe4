// fromDuplex(): the engine over foreign streams, and over net.Sockets with and without Node's internals.
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { Duplex } from 'node:stream';
import { data, fromDuplex, on, type Socket, type SocketOptions, writeTo } from '@rxsock/core';
import { controlOf } from '@rxsock/core/internal';
import { firstValueFrom, lastValueFrom, map, reduce } from 'rxjs';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { duplexPair } from '../../../../tests/support/duplex-pair.js';
import { setNodeInternals } from '../../../../tests/support/node-internals.js';
import { closedPort, opened, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { allOf } from '../support/all-of.js';
import { receive } from '../support/files.js';

const all = (socket: Socket) =>
  lastValueFrom(
    socket.pipe(
      data(),
      reduce((text, bytes) => text + bytes, ''),
    ),
  );

/** A socket over a connected net.Socket, and its peer. */
async function wrapped(options: SocketOptions = {}): Promise<{ socket: Socket; stream: net.Socket; peer: net.Socket }> {
  const server = await rawServer();
  const stream = net.connect({ port: server.port, host: '127.0.0.1' });
  const [peer] = await Promise.all([server.next(), once(stream, 'connect')]);
  const socket = fromDuplex(stream, { keepOpen: true, ...options });
  onTestFinished(() => socket.error());
  return { socket, stream, peer };
}

describe.each([
  { reads: true, writes: true },
  { reads: false, writes: true },
  { reads: true, writes: false },
  { reads: false, writes: false },
])('over a net.Socket, with internals $reads, $writes', (ways) => {
  beforeEach(() => setNodeInternals(ways));

  test('echoes, and half-closes in both directions', async () => {
    const { socket, peer } = await wrapped({ allowHalfOpen: true });
    const text = 'x'.repeat(1_000_000);
    const { ended } = record(socket.pipe(data(), writeTo(socket)));
    const closed = socket.pipe(on('close'));
    const report = firstValueFrom(closed.pipe(map((event) => event.report)));
    peer.end(text);
    const { bytes, end } = await receive(peer);
    expect([bytes.equals(Buffer.from(text)), end]).toEqual([true, 'end']);
    expect(await ended).toEqual({});
    expect(await report).toMatchObject({ by: 'peer', how: 'fin', bytesRead: 1_000_000, bytesWritten: 1_000_000 });
  });

  test("receives an answer after its own FIN, whatever the stream's allowHalfOpen", async () => {
    const { socket, stream, peer } = await wrapped();
    expect(stream.allowHalfOpen).toBe(true);
    const answer = all(socket);
    socket.next('question');
    socket.complete();
    peer.once('end', () => peer.end('answer'));
    peer.resume();
    expect(await answer).toBe('answer');
    await vi.waitUntil(() => socket.readyState === 'closed');
  });

  test("answers after the peer's FIN", async () => {
    const { socket, peer } = await wrapped({ allowHalfOpen: true });
    peer.end('question');
    expect(await all(socket)).toBe('question');
    socket.next('answer');
    socket.complete();
    expect(await receive(peer)).toEqual({ bytes: Buffer.from('answer'), end: 'end' });
  });

  test('reports a reset by the peer', async () => {
    const { socket, peer } = await wrapped();
    const { log, ended } = record(socket);
    peer.write('x');
    await vi.waitUntil(() => log.includes('data'));
    peer.resetAndDestroy();
    expect((await ended).error).toMatchObject({ name: 'ResetError', code: 'ECONNRESET' });
    expect(log).not.toContain('end');
  });

  test('resets when it is aborted', async () => {
    const { socket, peer } = await wrapped();
    socket.next(Buffer.alloc(10_000_000));
    socket.error(new Error('enough'));
    expect((await receive(peer)).end).toBe('ECONNRESET');
  });

  test('reads no further than the mark while held, and continues after the release', async () => {
    const { socket, peer } = await wrapped();
    const release = socket.hold('test');
    const text = all(socket);
    peer.end('x'.repeat(20_000_000));
    await vi.waitUntil(() => socket.bytesRead > 0 && peer.writableLength > 0);
    expect(socket.bytesRead).toBeLessThanOrEqual(3 * 65_536);
    release();
    expect((await text).length).toBe(20_000_000);
  });

  test('takes over what the stream has read, and what it still has to write', async () => {
    const server = await rawServer();
    const stream = net.connect({ port: server.port, host: '127.0.0.1' });
    const peer = await server.next();
    peer.write('early ');
    await once(stream, 'readable');
    stream.write('before ');
    const socket = fromDuplex(stream, { allowHalfOpen: true });
    const text = all(socket);
    peer.end('late');
    expect(await text).toBe('early late');
    socket.next('after');
    socket.complete();
    expect(await receive(peer)).toEqual({ bytes: Buffer.from('before after'), end: 'end' });
  });
});

describe('a net.Socket that is still connecting', () => {
  test('opens with it', async () => {
    const server = await rawServer();
    const socket = fromDuplex(net.connect({ port: server.port, host: '127.0.0.1' }));
    expect(socket.readyState).toBe('resolving');
    socket.next('early');
    const { remote } = await firstValueFrom(socket.pipe(on('connect')));
    expect(remote).toMatchObject({ port: server.port });
    const peer = await server.next();
    expect(String((await once(peer.resume(), 'data'))[0])).toBe('early');
  });

  test('fails with it, and leaves no unhandled error before', async () => {
    const stream = net.connect({ port: await closedPort(), host: '127.0.0.1' });
    const socket = fromDuplex(stream);
    await new Promise((resolve) => stream.once('close', resolve));
    const { ended } = record(socket);
    expect((await ended).error).toMatchObject({ name: 'ConnectError', code: 'ECONNREFUSED' });
  });
});

describe('a net.Socket that is aborted in the middle of dialling', () => {
  test.each([
    ['lookup', true],
    ['lookup', false],
    ['connectionAttempt', true],
    ['connectionAttempt', false],
  ] as const)('at %s, with autoSelectFamily %s, ends without an uncaught error', async (type, autoSelectFamily) => {
    const server = await rawServer();
    const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
    const lookup: net.LookupFunction = (_host, _options, done) =>
      process.nextTick(done, null, autoSelectFamily ? addresses : '127.0.0.1', 4);
    const stream = net.connect({ port: server.port, host: 'name.test', autoSelectFamily, lookup });
    const socket = fromDuplex(stream);
    const { log, ended } = record(socket);
    socket.pipe(on(type)).subscribe({ next: () => socket.error(), error: () => {} });
    expect(log).toEqual([]);
    expect((await ended).error).toMatchObject({ name: 'AbortedError' });
    expect(stream.destroyed).toBe(true);
  });
});

describe('any Duplex', () => {
  test('is a socket without addresses', async () => {
    const [stream, other] = duplexPair();
    const socket = fromDuplex(stream, { allowHalfOpen: true });
    const { log } = record(socket);
    expect([socket.readyState, socket.local, socket.remote]).toEqual(['open', undefined, undefined]);
    other.end('question');
    socket.next('answer');
    socket.complete();
    expect(String((await once(other, 'data'))[0])).toBe('answer');
    await vi.waitUntil(() => log.includes('complete'));
    expect(log.filter((event) => event !== 'drain')).toEqual(['connect', 'data', 'end', 'finish', 'close', 'complete']);
  });

  test('waits for a slow reader', async () => {
    const [stream, other] = duplexPair();
    const socket = fromDuplex(stream, { highWaterMark: 4 });
    record(socket);
    expect([socket.next('abc'), socket.next('def')]).toEqual([true, false]);
    expect(socket.writableLength).toBe(6);
    const drain = firstValueFrom(socket.pipe(on('drain')));
    other.resume();
    await drain;
    expect(socket.writableLength).toBe(0);
    socket.error();
  });

  test('counts the bytes that it has written, not those that were in the stream before', async () => {
    const [stream, other] = duplexPair();
    stream.write('0123456789');
    const socket = fromDuplex(stream, { allowHalfOpen: true });
    record(socket);
    socket.next('x');
    expect(socket.bytesWritten).toBe(0);
    other.resume();
    await vi.waitUntil(() => socket.bytesWritten > 0);
    expect(socket.bytesWritten).toBe(1);
    socket.error();
  });

  test.each<[string, (socket: Socket) => unknown]>([
    ['complete()', (socket) => socket.complete()],
    ['close()', (socket) => socket.close()],
  ])('sends FIN at %s behind the bytes that were in the stream before', async (_, end) => {
    const [stream, other] = duplexPair();
    stream.write('0123456789');
    const socket = fromDuplex(stream, { allowHalfOpen: true });
    const { log, ended } = record(socket);
    end(socket);
    expect(socket.readyState).toMatch(/open|closing/);
    other.end();
    expect(await allOf(other)).toBe('0123456789');
    await ended;
    expect(log).toEqual(['connect', 'finish', 'end', 'close', 'complete']);
  });

  test('emits one finish, and writes nothing more, if the stream was ended behind bytes that were still in it', async () => {
    const [stream, other] = duplexPair();
    stream.end('0123456789');
    const socket = fromDuplex(stream, { allowHalfOpen: true });
    const { log, ended } = record(socket);
    expect(await allOf(other)).toBe('0123456789');
    await vi.waitUntil(() => socket.readyState === 'readOnly');
    await expect(socket.write('x')).rejects.toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
    socket.complete();
    other.end();
    await ended;
    expect(log).toEqual(['connect', 'finish', 'end', 'close', 'complete']);
  });

  test('asks nobody to wait who has not written behind the bytes that were in the stream before', async () => {
    const [stream, other] = duplexPair();
    stream.write('0123456789');
    const socket = fromDuplex(stream, { highWaterMark: 5, keepOpen: true });
    await opened(socket);
    await socket.write('');
    expect(socket.next('')).toBe(true);
    const drained = firstValueFrom(socket.pipe(on('drain')));
    expect(socket.next('x')).toBe(false);
    other.resume();
    await drained;
  });

  test('can be handed over when the bytes that were in the stream before have left', async () => {
    const [stream, other] = duplexPair();
    stream.write('0123456789');
    const socket = fromDuplex(stream, { keepOpen: true });
    await opened(socket);
    expect(() => controlOf(socket).handOver()).toThrow(expect.objectContaining({ code: 'ERR_WRITES_PENDING' }));
    other.resume();
    await vi.waitUntil(() => stream.writableLength === 0);
    expect(controlOf(socket).handOver().stream).toBe(stream);
  });

  test('fails for good when it fails with unread bytes, whichever subscriber leaves then', async () => {
    const [stream, other] = duplexPair();
    const socket = fromDuplex(stream, { keepOpen: true });
    const { subscription } = record(socket.pipe(on('drain')));
    other.write('unread');
    await vi.waitUntil(() => socket.bytesRead > 0);
    stream.on('close', () => subscription.unsubscribe());
    stream.destroy(new Error('gone'));
    await vi.waitUntil(() => socket.readyState === 'closed');
  });

  test('is destroyed with an error on abort, because only that notifies an HTTP/2 peer', async () => {
    const server = http2.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200 });
      const socket = fromDuplex(stream);
      socket.pipe(data()).subscribe({ next: () => socket.error(), error: () => {} });
      socket.next('a part');
    });
    const client = http2.connect(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`);
    onTestFinished(() => client.close());
    const request = client.request({ ':method': 'POST' }, { endStream: false });
    const seen: string[] = [];
    request.on('end', () => seen.push('end')).on('error', () => seen.push('error'));
    request.resume().write('go');
    await new Promise((resolve) => request.once('close', resolve));
    expect(seen).toEqual(['error']);
  });

  test('is destroyed by a signal, also by one that was aborted before', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const [before] = duplexPair();
    const { ended } = record(fromDuplex(before, { signal }));
    controller.abort();
    const [after] = duplexPair();
    const late = record(fromDuplex(after, { signal }));
    const connecting = net.connect(await closedPort(), '127.0.0.1');
    const later = record(fromDuplex(connecting, { signal }));
    for (const stream of [before, after, connecting]) await vi.waitUntil(() => stream.destroyed);
    for (const end of [ended, late.ended, later.ended]) {
      expect((await end).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED', cause: signal.reason });
    }
  });

  test('that is destroyed before both ends fails the socket', async () => {
    const [stream] = duplexPair();
    const { ended } = record(fromDuplex(stream));
    stream.destroy();
    expect((await ended).error).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  });

  test.each<[string, (stream: Duplex) => void, object]>([
    ['was destroyed', (stream) => stream.destroy(), { code: 'ERR_STREAM_PREMATURE_CLOSE' }],
    ['has failed', (stream) => stream.destroy(new Error('broken')), { cause: new Error('broken') }],
  ])('that was %s before is an error', async (_, spoil, error) => {
    const [stream] = duplexPair();
    spoil(stream.on('error', () => {}));
    await new Promise((resolve) => stream.once('close', resolve));
    const { ended } = record(fromDuplex(stream));
    expect((await ended).error).toMatchObject(error);
  });

  test('with one side already ended is taken over as it is', async () => {
    const [stream, other] = duplexPair();
    other.end();
    await once(stream.resume(), 'end');
    const reading = fromDuplex(stream, { allowHalfOpen: true });
    expect(await all(reading)).toBe('');
    reading.complete();
    await vi.waitUntil(() => reading.readyState === 'closed');

    const [written, reader] = duplexPair();
    written.end();
    await once(written, 'finish');
    const writing = fromDuplex(written, { allowHalfOpen: true });
    const { log, ended } = record(writing);
    writing.complete();
    reader.end('still here');
    await ended;
    expect(log).toEqual(['connect', 'finish', 'data', 'end', 'close', 'complete']);
  });

  test('keeps the methods that it was made with when it is handed over', async () => {
    const [stream] = duplexPair();
    onTestFinished(() => void stream.destroy());
    const { push } = stream;
    stream.push = (chunk) => push.call(stream, chunk);
    const own = () => Object.fromEntries(Object.entries(stream).filter(([, value]) => typeof value === 'function'));
    const before = own();
    expect(before).toMatchObject({ push: stream.push, _write: stream._write, _final: stream._final });
    const socket = fromDuplex(stream, { keepOpen: true });
    await firstValueFrom(socket.pipe(on('connect')));
    expect(controlOf(socket).handOver()).toEqual({ stream, received: Buffer.alloc(0) });
    expect(own()).toEqual(before);
  });

  test('is rejected if it is not a stream of bytes', () => {
    const read = () => {};
    expect(() => fromDuplex(new Duplex({ read, objectMode: true }))).toThrow(TypeError);
    expect(() => fromDuplex(new Duplex({ read, encoding: 'utf8' }))).toThrow(TypeError);
  });
});

test('takes over the socket of an HTTP upgrade, with the bytes that came along', async () => {
  const server = http.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  server.on('upgrade', (_request, stream: Duplex, head: Buffer) => {
    const socket = fromDuplex(stream, { allowHalfOpen: true });
    socket.next('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.unshift(head);
    socket.pipe(data(), writeTo(socket)).subscribe();
  });
  const { port } = server.address() as net.AddressInfo;
  const client = net.connect({ port, host: '127.0.0.1' });
  client.end('GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhead and tail');
  const chunks: Buffer[] = [];
  client.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(client, 'end');
  expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1.1 101 .*\r\n\r\nhead and tail$/s);
});

test('small chunks are joined while a slow stream does not take them', async () => {
  const taken: Buffer[] = [];
  let callback = () => {};
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      taken.push(chunk);
      callback = done;
    },
  });
  const socket = fromDuplex(stream, { keepOpen: true });
  onTestFinished(() => socket.error());
  for (let n = 0; n < 100_000; n++) socket.next(String(n % 10));
  expect(socket.writableLength).toBe(100_000);
  expect(stream.writableLength).toBe(1);
  while (socket.writableLength > 0) {
    callback();
    await new Promise(setImmediate);
  }
  expect(taken.length).toBeLessThan(200);
  expect(Buffer.concat(taken).toString()).toBe('0123456789'.repeat(10_000));
});
