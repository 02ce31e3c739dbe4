// capture(): which sockets are recorded, where to, and what happens when there is no room.
import { createWriteStream } from 'node:fs';
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Duplex, PassThrough, Writable } from 'node:stream';
import { connect, data, discard, fromDuplex, listen, on, reconnect, type Socket, serve } from '@rxsock/core';
import { type Capture, capture } from '@rxsock/core/capture';
import { socketPair } from '@rxsock/core/testing';
import { firstValueFrom, map, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { testFolder } from '../../../../tests/support/temporary-folder.js';
import { turns } from '../../../../tests/support/turns.js';
import { conversationsOf, packetsOf } from '../pcapng/support.js';

/** An echo server that runs until the test is over. */
async function echo(options: Parameters<typeof listen>[0] = {}) {
  const server = listen(options);
  server.pipe(serve((socket) => socket.pipe(data()))).subscribe();
  onTestFinished(() => server.close({ drain: 0 }));
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  return { server, port: address.port };
}

/** Sends text to an echo server, and waits for the end of the connection. */
async function talk(port: number, text: string): Promise<void> {
  const socket = connect({ port });
  const { ended } = record(socket);
  socket.next(text);
  socket.complete();
  await ended;
}

/** What each side of each connection has sent, and how it has ended. */
const sentIn = (file: Buffer) =>
  conversationsOf(file).map(({ steps }) =>
    steps.map(({ from, sent }) => `${from}: ${typeof sent === 'string' ? sent : Buffer.concat(sent)}`),
  );
const commentsIn = (file: Buffer) => packetsOf(file).flatMap(({ comments }) => comments);

/** A stream that keeps what is written to it, and takes the next piece when `take()` is called. */
function slowStream() {
  const chunks: Buffer[] = [];
  const callbacks: (() => void)[] = [];
  const stream = new Writable({
    write: (chunk, _, callback) => {
      chunks.push(chunk);
      callbacks.push(callback);
    },
  });
  const takeAll = async (closing: Promise<unknown>) => {
    const taking = setInterval(() => callbacks.shift()?.(), 1);
    await closing;
    clearInterval(taking);
    return Buffer.concat(chunks);
  };
  return { stream, takeAll };
}

/** Collects what nothing catches in this process, until the test is over. Otherwise it would end the process. */
function catchUncaught(): unknown[] {
  const uncaught: unknown[] = [];
  process.setUncaughtExceptionCaptureCallback((error) => uncaught.push(error));
  onTestFinished(() => process.setUncaughtExceptionCaptureCallback(null));
  return uncaught;
}

/** Waits until a stream has closed, and does not listen to its errors. */
async function closeOf(stream: Writable): Promise<void> {
  await expect.poll(() => stream.closed).toBe(true);
  // It emits its events after that.
  await turns();
}

describe('what is recorded', () => {
  test("'all': every connection, with both ends in this process as one", async () => {
    const file = path.join(await testFolder(), 'all.pcapng');
    const { port } = await echo();
    const trace = await capture('all', file);
    await talk(port, 'one');
    await talk(port, 'two');
    await trace.close();
    const written = await readFile(file);
    expect(sentIn(written)).toEqual(
      ['one', 'two']
        .map((text) => [`client: ${text}`, 'client: fin', `server: ${text}`, 'server: fin'].sort())
        .map((each) => expect.arrayContaining(each)),
    );
    expect(sentIn(written).map(({ length }) => length)).toEqual([4, 4]);
    expect(trace.packets).toBe(packetsOf(written).length);
    expect(trace).toMatchObject({ bytes: 12, packetsDropped: 0, bytesDropped: 0, error: undefined });
  });

  test('one connection where the two ends spell an address in different ways', async () => {
    const file = path.join(await testFolder(), 'mapped.pcapng');
    const { port } = await echo({ host: '::' });
    const trace = await capture('all', file);
    const socket = connect({ host: '127.0.0.1', port });
    const { ended } = record(socket);
    socket.next('hello');
    socket.complete();
    await ended;
    await trace.close();
    expect(conversationsOf(await readFile(file))).toHaveLength(1);
  });

  test('a server: the connections that it accepts, and no others', async () => {
    const file = path.join(await testFolder(), 'server.pcapng');
    const [one, other] = [await echo(), await echo()];
    await using trace = await capture(one.server, file);
    await talk(other.port, 'other');
    await talk(one.port, 'one');
    await expect.poll(() => one.server.sockets.size).toBe(0);
    await trace.close();
    expect(sentIn(await readFile(file))).toEqual([['client: one', 'server: one', 'client: fin', 'server: fin']]);
  });

  test('a socket, with the addresses of both ends, its holds and its end', async () => {
    const file = path.join(await testFolder(), 'socket.pcapng');
    const { port } = await echo();
    const socket = connect({ port });
    await using trace = await capture(socket, file);
    const { ended } = record(socket);
    await talk(port, 'another connection');
    await socket.write('hello');
    const { local, remote } = socket;
    const release = socket.hold('a slow disk');
    release();
    socket.complete();
    await ended;
    await trace.close();
    const written = await readFile(file);
    expect(conversationsOf(written)).toMatchObject([{ client: local, server: remote }]);
    expect(commentsIn(written)).toEqual([
      `tcp: 127.0.0.1:${(local as { port: number }).port} to 127.0.0.1:${port}`,
      'hold: a slow disk',
      'release',
      expect.stringMatching(/^close: fin by \w+, 5 bytes read, 5 written, 0 unsent, \d+ ms$/),
    ]);
  });

  test('an open socket from now on', async () => {
    const file = path.join(await testFolder(), 'open.pcapng');
    const { port } = await echo();
    const socket = connect({ port });
    const { ended } = record(socket);
    await socket.write('before');
    await firstValueFrom(socket.pipe(on('data')));
    await using trace = await capture(socket, file);
    socket.next('after');
    socket.complete();
    await ended;
    await trace.close();
    const written = await readFile(file);
    expect(sentIn(written)).toEqual([['client: after', 'client: fin', 'server: after', 'server: fin']]);
    expect(commentsIn(written)[0]).toMatch(/, begun earlier$/);
  });

  test('an abort as a reset by this side, with the reason', async () => {
    const file = path.join(await testFolder(), 'abort.pcapng');
    const [socket] = socketPair();
    await using trace = await capture(socket, file);
    record(socket);
    await socket.write('half');
    socket.error(new Error('changed my mind'));
    await record(socket.readyStates).ended;
    await trace.close();
    const written = await readFile(file);
    expect(sentIn(written)).toEqual([['client: half', 'client: reset']]);
    expect(commentsIn(written).slice(-2)).toEqual([
      expect.stringMatching(/^error: ERR_SOCKET_ABORTED: .*changed my mind/),
      expect.stringMatching(/^close: abort by local/),
    ]);
  });

  test('virtual time as the time of the packets', async () => {
    const file = path.join(await testFolder(), 'virtual.pcapng');
    const scheduler = new VirtualTimeScheduler();
    const [client, server] = socketPair({ latency: 250, scheduler });
    await using trace = await capture(client, file);
    server.pipe(data()).subscribe();
    client.subscribe();
    client.next('ping');
    scheduler.schedule(() => server.next('pong'), 1000);
    scheduler.maxFrames = 2000;
    scheduler.flush();
    await trace.close();
    expect(conversationsOf(await readFile(file))[0]?.steps.map(({ time }) => time)).toEqual([0, 1250]);
  });

  test.each([
    ['a remote port that is too large', 99_999, 1],
    ['a local port that is negative', 80, -1],
    ['a port that is no number', Number.NaN, 1],
  ])('a stream with %s, under made-up addresses', async (_, remotePort, localPort) => {
    const file = path.join(await testFolder(), 'port.pcapng');
    const stream = Object.assign(new Duplex({ read() {}, write: (_chunk, _encoding, taken) => taken() }), {
      remoteAddress: '198.51.100.7',
      remotePort,
      localAddress: '198.51.100.8',
      localPort,
    });
    const socket = fromDuplex(stream);
    await using trace = await capture(socket, file);
    const { log } = record(socket.pipe(data()));
    stream.push('hello');
    await expect.poll(() => log).toEqual(['hello']);
    await socket.write('hi');
    await trace.close();
    const written = await readFile(file);
    expect(conversationsOf(written)).toMatchObject([
      { client: { address: '192.0.2.1' }, server: { address: '192.0.2.2', port: 1 } },
    ]);
    expect(sentIn(written)).toEqual([['server: hello', 'client: hi']]);
    expect(trace).toMatchObject({ bytes: 'hello'.length + 'hi'.length, packetsDropped: 0, error: undefined });
  });

  test('two hundred connections at once, some of them aborted, with each byte in its place', async () => {
    const file = path.join(await testFolder(), 'many.pcapng');
    const { server, port } = await echo({ backlog: 200 });
    const trace = await capture(server, file);
    const sockets = Array.from({ length: 200 }, (_, index) => {
      const socket = connect({ port });
      const { ended } = record(socket);
      socket.next(`number ${index}`);
      if (index % 10 === 0) socket.pipe(on('data')).subscribe({ next: () => socket.error(), error: () => {} });
      else socket.complete();
      return ended;
    });
    await Promise.all(sockets);
    await expect.poll(() => server.sockets.size).toBe(0);
    await trace.close();
    const all = sentIn(await readFile(file));
    const expected = Array.from({ length: 200 }, (_, index) => [
      `client: number ${index}`,
      `server: number ${index}`,
      ...(index % 10 === 0 ? ['client: reset'] : ['client: fin', 'server: fin']),
    ]);
    expect(all.map((steps) => steps.sort().join()).sort()).toEqual(expected.map((steps) => steps.sort().join()).sort());
    expect(trace.packetsDropped).toBe(0);
  });

  test('nothing after close(), which may be called again', async () => {
    const file = path.join(await testFolder(), 'closed.pcapng');
    const { port } = await echo();
    const trace = await capture('all', file);
    await talk(port, 'seen');
    await trace.close();
    const { packets } = trace;
    await talk(port, 'not seen');
    await trace.close();
    expect(trace.packets).toBe(packets);
    expect((await readFile(file)).includes('not seen')).toBe(false);
  });
});

describe('a file', () => {
  test('is for its owner only, and replaces what was there', async () => {
    const folder = await testFolder();
    const [file, old] = [path.join(folder, 'new.pcapng'), path.join(folder, 'old.pcapng')];
    await (await capture('all', file)).close();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await writeFile(old, 'x'.repeat(10_000));
    await (await capture('all', new URL(`file://${old}`))).close();
    expect((await readFile(old)).length).toBe((await readFile(file)).length);
  });

  test('that cannot be created rejects, and nothing is attached', async () => {
    const { port } = await echo();
    await expect(capture('all', path.join(await testFolder(), 'none', 'x.pcapng'))).rejects.toMatchObject({
      code: 'ENOENT',
      phase: 'write',
      message: expect.stringContaining('check the path'),
    });
    await talk(port, 'hello');
  });

  test('on a full disk ends the capture, and never the socket', async () => {
    const { port } = await echo();
    const file = path.join(await testFolder(), 'full.pcapng');
    await symlink('/dev/full', file);
    const trace = await capture('all', file);
    await talk(port, 'hello');
    await expect.poll(() => trace.error).toMatchObject({ code: 'ENOSPC' });
    await talk(port, 'hello again');
    await expect(trace.close()).rejects.toMatchObject({ code: 'ENOSPC', phase: 'write' });
    expect(trace).toMatchObject({ packets: 0, bytes: 0, bytesDropped: 2 * ('hello'.length + 'hello again'.length) });
  });

  test('that is full takes nothing more, and what is left out is counted', async () => {
    const file = path.join(await testFolder(), 'limited.pcapng');
    const [client, server] = socketPair();
    const trace = await capture(client, file, { maxBytes: 131_072 });
    const { ended } = record(server.pipe(data()));
    client.subscribe();
    for (let index = 0; index < 10; index++) await client.write(Buffer.alloc(30_000, index));
    client.complete();
    server.complete();
    await ended;
    await trace.close();
    const written = await readFile(file);
    expect(written.length).toBeLessThanOrEqual(131_072);
    expect(written.length).toBeGreaterThan(100_000);
    expect(trace.bytes + trace.bytesDropped).toBe(300_000);
    expect(trace.bytes).toBe(120_000);
    expect(trace.packets).toBe(packetsOf(written).length);
    expect(statisticsOf(written)).toEqual({
      received: trace.packets + trace.packetsDropped,
      dropped: trace.packetsDropped,
    });
  });

  test('is rotated: at most so many are kept, the newest has the name', async () => {
    const folder = await testFolder();
    const [client, server] = socketPair();
    const trace = await capture(client, path.join(folder, 'r.pcapng'), { maxBytes: 131_072, rotate: 3 });
    server.pipe(data()).subscribe();
    const { ended } = record(client);
    for (let index = 0; index < 30; index++) await client.write(Buffer.alloc(30_000, index));
    client.complete();
    server.complete();
    await ended;
    await trace.close();
    expect(trace).toMatchObject({ bytes: 900_000, bytesDropped: 0 });
    const files = await Promise.all(
      ['r.2.pcapng', 'r.1.pcapng', 'r.pcapng'].map((name) => readFile(path.join(folder, name))),
    );
    const firstBytes = files.map((file) =>
      conversationsOf(file)[0]!.steps.flatMap(({ sent }) => [typeof sent === 'string' ? sent : sent[0]![0]]),
    );
    const last = firstBytes.flat();
    expect(last.slice(-2)).toEqual(['fin', 'fin']);
    const chunks = last.slice(0, -2) as number[];
    expect(chunks).toEqual(Array.from({ length: chunks.length }, (_, index) => 30 - chunks.length + index));
    expect(chunks.length).toBeGreaterThanOrEqual(8);
    await expect(stat(path.join(folder, 'r.3.pcapng'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test('each file begins with its header, however many parts wait for the disk', async () => {
  const folder = await testFolder();
  const [client, server] = socketPair({ highWaterMark: 64 * 1024 * 1024 });
  const trace = await capture(client, path.join(folder, 't.pcapng'), { maxBytes: 131_072, rotate: 1000 });
  record(server.pipe(discard()));
  record(client);
  for (let index = 0; index < 20; index++) client.next(Buffer.alloc(1_000_000, index));
  await expect.poll(() => server.bytesRead).toBe(20_000_000);
  for (let index = 0; index < 3; index++) await client.write(Buffer.alloc(10_000, index));
  await trace.close();
  const names = await readdir(folder);
  expect(names.length).toBeGreaterThan(3);
  for (const name of names) {
    const file = await readFile(path.join(folder, name));
    expect([name, file.readUInt32LE(0).toString(16)]).toEqual([name, 'a0d0d0a']);
  }
});

/** The counters in the block at the end of a file. */
function statisticsOf(file: Buffer) {
  let at = 0;
  while (file.readUInt32LE(at) !== 5) at += file.readUInt32LE(at + 4);
  return { received: Number(file.readBigUInt64LE(at + 24)), dropped: Number(file.readBigUInt64LE(at + 36)) };
}

describe('a stream', () => {
  test('gets the same bytes as a file, and is not ended', async () => {
    const stream = new PassThrough();
    const [client] = socketPair();
    const trace = await capture(client, stream);
    await client.write('hello');
    await trace.close();
    expect(stream.writableEnded).toBe(false);
    expect(stream.listenerCount('error')).toBe(new PassThrough().listenerCount('error'));
    stream.end();
    expect(sentIn(Buffer.concat(await stream.toArray()))).toEqual([['client: hello']]);
  });

  test('that is slow never slows the sockets: what has no room is left out, counted and told', async () => {
    const { stream, takeAll } = slowStream();
    const [client, server] = socketPair();
    const trace = await capture(client, stream);
    const { log } = record(
      server.pipe(
        data(),
        map(({ length }) => length),
      ),
    );
    const chunk = Buffer.alloc(2 ** 20, 1);
    for (let index = 0; index < 20; index++) await client.write(chunk);
    await expect.poll(() => log.reduce((sum, length) => sum + Number(length), 0)).toBe(20 * 2 ** 20);
    const { packetsDropped, bytesDropped } = trace;
    expect(bytesDropped).toBeGreaterThan(4 * 2 ** 20);
    await takeAll(expect.poll(() => trace.packets).toBeGreaterThan(400));

    await client.write('the end');
    const written = await takeAll(trace.close());
    expect(commentsIn(written)).toContain(
      `left out before this packet: ${packetsDropped} packets, ${bytesDropped} bytes`,
    );
    expect(conversationsOf(written)[0]?.steps.at(-1)).toMatchObject({ lacking: bytesDropped });
    expect(trace.bytes + bytesDropped).toBe(20 * 2 ** 20 + 'the end'.length);
    expect(trace.bytesDropped).toBe(bytesDropped);
    expect(trace.packets).toBe(packetsOf(written).length);
    expect(written.length).toBeLessThan(17 * 2 ** 20);
  });

  test("that is slow holds the sockets with overflow: 'hold', and nothing that is read is left out", async () => {
    const { stream, takeAll } = slowStream();
    const [reader, writer] = socketPair();
    const trace = await capture(reader, stream, { overflow: 'hold' });
    const { ended } = record(reader.pipe(data()));
    const chunk = Buffer.alloc(2 ** 20, 1);
    let written = 0;
    const pump = () => {
      while (written < 12) {
        written++;
        if (!writer.next(chunk)) break;
      }
      if (written === 12) writer.complete();
    };
    writer.pipe(on('drain')).subscribe(pump);
    pump();
    await expect.poll(() => reader.holds).toEqual(['capture']);
    await turns();
    expect(written).toBeLessThan(10);
    await takeAll(ended);
    await takeAll(trace.close());
    expect(trace).toMatchObject({ bytesDropped: 0, bytes: reader.bytesRead });
    expect(reader.holds).toEqual([]);
  });

  test('that emits its error after close() does not end the process', async () => {
    const uncaught = catchUncaught();
    let fail: (() => void) | undefined;
    const stream = new Writable({
      write: (_chunk, _encoding, callback) => callback(new Error('the disk broke')),
      destroy: (error, callback) => {
        fail = () => callback(error);
      },
    });
    const trace = await capture('all', stream);
    await expect(trace.close()).rejects.toThrow('the disk broke');
    expect(stream.closed).toBe(false);
    fail?.();
    await closeOf(stream);
    expect(uncaught).toEqual([]);
    expect(trace.error).toMatchObject({ message: 'the disk broke' });
  });

  test('on a full disk does not end the process', async () => {
    const uncaught = catchUncaught();
    const stream = createWriteStream('/dev/full');
    const trace = await capture('all', stream);
    await expect(trace.close()).rejects.toMatchObject({ code: 'ENOSPC' });
    await closeOf(stream);
    expect(uncaught).toEqual([]);
    expect(trace.error).toMatchObject({ code: 'ENOSPC' });
  });

  test('that has not failed keeps no listener of the capture', async () => {
    const { stream, takeAll } = slowStream();
    const counts = () => stream.eventNames().map((name) => [name, stream.listenerCount(name)]);
    const before = counts();
    const trace = await capture('all', stream);
    await takeAll(trace.close());
    expect(counts()).toEqual(before);
  });

  test.each([
    ['an error', (stream: PassThrough) => stream.destroy(new Error('the pipe broke')), /the pipe broke/],
    ['a close', (stream: PassThrough) => stream.destroy(), /closed/],
  ])('that ends with %s ends the capture, and never the socket', async (_, end, message) => {
    const stream = new PassThrough({ highWaterMark: 1 });
    const [client, server] = socketPair();
    const trace = await capture(client, stream);
    const { log } = record(server.pipe(data()));
    for (const text of ['being written', ' waiting']) {
      await client.write(text);
      await turns(10);
    }
    expect(trace).toMatchObject({ bytes: 0, bytesDropped: 0 });
    end(stream);
    await client.write(' too late');
    await expect(trace.close()).rejects.toThrow(message);
    await expect.poll(() => log.join('')).toBe('being written waiting too late');
    expect(trace).toMatchObject({ bytes: 0, bytesDropped: 'being written waiting too late'.length });
    expect(trace.error).toBeInstanceOf(Error);
  });
});

describe('arguments', () => {
  const bad =
    (...args: unknown[]) =>
    () =>
      void capture(...(args as Parameters<typeof capture>));

  test.each([[undefined], [null], ['every'], [{}], [[]], [() => {}], [0]])('refuses the source %j', (source) => {
    expect(bad(source, '/dev/null')).toThrow(TypeError);
  });

  test('refuses what is no plain socket', () => {
    expect(
      bad(
        reconnect(() => connect({ port: 1 })),
        '/dev/null',
      ),
    ).toThrow(/source must be a socket/);
  });

  test.each([[undefined], [null], [''], ['a\0b'], [{}], [0], [new URL('http://localhost/')]])(
    'refuses the target %j',
    (target) => {
      expect(bad('all', target)).toThrow(TypeError);
    },
  );

  test('refuses a stream that is over, and to rotate a stream or a file without limit', () => {
    expect(bad('all', new PassThrough().end())).toThrow(/must be open/);
    expect(bad('all', new PassThrough().destroy())).toThrow(/must be open/);
    expect(bad('all', new PassThrough(), { rotate: 2 })).toThrow(/a stream cannot be rotated/);
    expect(bad('all', '/dev/null', { rotate: 2, maxBytes: Number.POSITIVE_INFINITY })).toThrow(/finite maxBytes/);
  });

  test('takes every kind of socket', async () => {
    const duplex = fromDuplex(new PassThrough());
    for (const source of [duplex, listen(), connect({ port: 1 })] as Socket[]) {
      const trace: Capture = await capture(source, '/dev/null');
      await trace.close();
    }
  });
});
