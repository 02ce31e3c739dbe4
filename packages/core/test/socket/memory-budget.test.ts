// memoryBudget(): one bound for what many sockets keep, over real sockets. tests/security has the many at once.
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type net from 'node:net';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  connect,
  connections,
  data,
  flowFrom,
  listen,
  MemoryBudgetError,
  memoryBudget,
  on,
  relay,
  type Socket,
  sendFile,
  sendFrom,
  through,
  toDuplex,
  toWritableStream,
  writeTo,
} from '@rxsock/core';
import { nodeInternals } from '@rxsock/core/internal';
import { defer, filter, from, mergeMap, type Observable, of } from 'rxjs';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { drainRaw, pair, rawClient, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { temporaryFolder } from '../../../../tests/support/temporary-folder.js';
import { turns } from '../../../../tests/support/turns.js';

const KB = 1024;
const MB = 1024 * KB;

/** Fills the kernel, so that nothing leaves any more, and then writes until `bytes` wait. */
async function clog(socket: Socket, bytes: number): Promise<void> {
  record(socket);
  do {
    socket.next(Buffer.alloc(KB));
    await turns(2);
    if (socket.writableLength === 0) socket.next(Buffer.alloc(bytes - KB));
    await turns(2);
  } while (socket.writableLength === 0);
  await turns();
  if (socket.writableLength < bytes) socket.next(Buffer.alloc(bytes - socket.writableLength));
  expect(socket.writableLength).toBe(bytes);
}

/** The names of what happens from now on. */
const eventsOf = (socket: Socket) => record(socket.pipe(filter(({ type }) => type !== 'connect'))).log;

async function pairs(count: number, options: object): Promise<{ socket: Socket; peer: net.Socket }[]> {
  return Promise.all(Array.from({ length: count }, () => pair(options)));
}

test.each([0, -1, 1.5, Number.NaN, '1', null, undefined, {}])('memoryBudget(%o) throws', (bytes) => {
  expect(() => memoryBudget(bytes as number)).toThrow(/^bytes must be a positive integer or Infinity, not /);
});

test('what is not a budget is refused with a message that says how to make one', () => {
  const message = 'budget must be made by memoryBudget(64 * 1024 * 1024), not 1000';
  expect(() => connect({ port: 1, budget: 1000 as never })).toThrow(new TypeError(message));
});

test('a budget of Infinity only counts', async () => {
  const budget = memoryBudget(Number.POSITIVE_INFINITY);
  const { socket } = await pair({ budget });
  await clog(socket, MB);
  expect(budget).toMatchObject({ limit: Number.POSITIVE_INFINITY, used: MB });
  socket.error();
  expect(budget.used).toBe(0);
});

test('a closed socket gives back what it still keeps for its next reader', async () => {
  const budget = memoryBudget(MB);
  const { socket, peer } = await pair({ budget });
  const { ended } = record(socket.pipe(on('close')));
  peer.end(Buffer.alloc(10 * KB));
  await expect.poll(() => budget.used).toBe(10 * KB);
  socket.complete();
  await ended;
  expect(socket.readyState).toBe('closed');
  expect(socket.readableLength).toBe(10 * KB);
  expect(budget.used).toBe(0);
  const bytes = record(socket.pipe(data()));
  await bytes.ended;
  expect(bytes.values).toEqual([Buffer.alloc(10 * KB)]);
  expect(budget.used).toBe(0);
});

describe('written bytes', () => {
  test('the greedy one is told to wait, and the modest one is not', async () => {
    const budget = memoryBudget(MB);
    const [greedy, modest, hog] = await pairs(3, { budget });
    await clog(hog!.socket, 768 * KB);
    record(greedy!.socket);
    record(modest!.socket);
    // An eighth of what is free is 32 KiB, for a peer that does not take everything at once.
    expect(modest!.socket.next(Buffer.alloc(10 * KB))).toBe(true);
    await clog(greedy!.socket, 34 * KB);
    expect(greedy!.socket.next('x')).toBe(false);
    expect(modest!.socket.next(Buffer.alloc(10 * KB))).toBe(true);
  });

  test('the one that writes on although next() returned false fails, not the one that writes last', async () => {
    const budget = memoryBudget(MB);
    const [greedy, modest] = await pairs(2, { budget });
    await clog(modest!.socket, 100 * KB);
    await clog(greedy!.socket, 200 * KB);
    const { ended } = record(greedy!.socket);
    while (budget.used < MB) expect(greedy!.socket.next(Buffer.alloc(4 * KB))).toBe(false);
    expect(greedy!.socket.readyState).toBe('open');
    modest!.socket.next(Buffer.alloc(KB));
    const { error } = await ended;
    expect(error).toBeInstanceOf(MemoryBudgetError);
    expect(error).toMatchObject({ code: 'ERR_MEMORY_BUDGET', phase: 'write', limit: MB });
    expect((error as Error).message).toMatch(
      /^946176 bytes wait to be written to 127\.0\.0\.1:\d+, and the memoryBudget\(1048576\) is full: stop when next\(\)/,
    );
    expect(modest!.socket.readyState).toBe('open');
    expect(budget.used).toBe(101 * KB);
  });

  test('a chunk that is larger than the budget fails its own socket, and nobody else', async () => {
    const budget = memoryBudget(MB);
    const [large, modest] = await pairs(2, { budget });
    await clog(modest!.socket, 100 * KB);
    const { ended } = record(large!.socket);
    // The kernel of the peer takes some megabytes.
    expect(large!.socket.next(Buffer.alloc(64 * MB))).toBe(false);
    expect((await ended).error).toMatchObject({ code: 'ERR_MEMORY_BUDGET' });
    expect(modest!.socket.readyState).toBe('open');
    expect(budget.used).toBe(100 * KB);
  });

  test('what the kernel takes at once does not count, however much is written in one turn', async () => {
    const budget = memoryBudget(64 * KB);
    const sockets = await pairs(20, { budget });
    for (const { socket } of sockets) socket.next(Buffer.alloc(10 * KB));
    expect(budget.used).toBeLessThanOrEqual(64 * KB);
    await expect.poll(() => budget.used).toBe(0);
    expect(sockets.every(({ socket }) => socket.readyState === 'open')).toBe(true);
    await expect.poll(() => sockets.every(({ socket }) => socket.bytesWritten === 10 * KB)).toBe(true);
  });

  test('counts a pending promise of write(), as maxWriteBuffer does', async () => {
    const budget = memoryBudget(MB);
    const { socket } = await pair({ budget });
    await clog(socket, 100 * KB);
    for (let i = 0; i < 2024; i++) socket.write('x');
    expect(budget.used).toBe(100 * KB + 2024 + 1000 * 400);
    let failed: unknown;
    for (let i = 0; i < 2000; i++) socket.write('x').catch((error) => (failed ??= error));
    expect(budget.used).toBe(0);
    await turns(1);
    expect(failed).toBeInstanceOf(MemoryBudgetError);
  });

  test('drain waits until others have given back as much', async () => {
    const budget = memoryBudget(MB);
    const [hog, waiting] = await pairs(2, { budget });
    await clog(waiting!.socket, 200 * KB);
    expect(waiting!.socket.next(Buffer.alloc(70 * KB))).toBe(false);
    await clog(hog!.socket, 700 * KB);
    const log = eventsOf(waiting!.socket);
    waiting!.peer.resume();
    await expect.poll(() => waiting!.socket.writableLength).toBe(0);
    await turns();
    expect(log).toEqual([]);
    hog!.peer.resume();
    await expect.poll(() => log).toEqual(['drain']);
  });

  test('drain does not wait for others if little was kept', async () => {
    const budget = memoryBudget(MB);
    const [hog, modest] = await pairs(2, { budget });
    await clog(modest!.socket, 20 * KB);
    expect(modest!.socket.next(Buffer.alloc(50 * KB))).toBe(false);
    await clog(hog!.socket, 200 * KB);
    const log = eventsOf(modest!.socket);
    modest!.peer.resume();
    await expect.poll(() => log).toEqual(['drain']);
  });

  test('a socket that waits for its drain still sends its FIN', async () => {
    const budget = memoryBudget(MB);
    const [hog, waiting] = await pairs(2, { budget });
    await clog(waiting!.socket, 200 * KB);
    await clog(hog!.socket, 800 * KB);
    const log = eventsOf(waiting!.socket);
    waiting!.peer.resume();
    await expect.poll(() => waiting!.socket.writableLength).toBe(0);
    waiting!.socket.complete();
    await expect.poll(() => log).toContain('finish');
  });

  const sources = {
    writeTo: (socket: Socket) => flowFrom(endless()).pipe(writeTo(socket)),
    sendFrom: (socket: Socket) => sendFrom(socket, endless()),
  };
  test.each(Object.entries(sources))('%s waits, and goes on, and nobody fails', async (_, write) => {
    const budget = memoryBudget(MB);
    const sockets = await pairs(40, { budget });
    const writes = sockets.map(({ socket }) => record(write(socket)));
    await turns(300);
    expect(budget.used).toBeGreaterThan(MB / 2);
    expect(budget.used).toBeLessThanOrEqual(MB);
    const before = sockets.map(({ socket }) => socket.bytesWritten);
    for (const { peer } of sockets) peer.resume();
    const haveWritten = () => sockets.every(({ socket }, i) => socket.bytesWritten > before[i]! + 32 * KB);
    await expect.poll(haveWritten, { timeout: 10_000 }).toBe(true);
    expect(writes.flatMap(({ log }) => log).filter((name) => name.startsWith('error'))).toEqual([]);
    for (const { socket } of sockets) socket.error();
    expect(budget.used).toBe(0);
  });
});

function* endless() {
  const chunk = Buffer.alloc(16 * KB);
  for (;;) yield chunk;
}

describe('a chunk for which there is no room', () => {
  const BYTES = 100 * KB;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder();
    await writeFile(path.join(folder.path, 'file'), Buffer.alloc(BYTES, 'x'));
    return () => folder[Symbol.asyncDispose]();
  });

  /** A socket whose budget is full, and the socket that keeps nearly all of it. */
  async function full() {
    const budget = memoryBudget(MB);
    const hog = await pair({ budget });
    await clog(hog.socket, 900 * KB);
    return { budget, hog, ...(await pair({ budget })) };
  }

  const chunk = () => of(Buffer.alloc(BYTES, 'x'));
  const halves = () => [Buffer.alloc(BYTES / 2, 'x'), Buffer.alloc(BYTES / 2, 'x')];
  const ways: Readonly<Record<string, (socket: Socket) => Observable<unknown>>> = {
    writeTo: (socket) => chunk().pipe(writeTo(socket)),
    through: (socket) => chunk().pipe(through(socket)),
    sendFrom: (socket) => sendFrom(socket, [Buffer.alloc(BYTES, 'x')]),
    sendFile: (socket) => sendFile(socket, path.join(folder.path, 'file')),
    toDuplex: (socket) =>
      from(
        pipeline(
          Readable.from(halves()),
          toDuplex(socket).on('error', () => {}),
        ),
      ),
    'toDuplex, two chunks at once': (socket) =>
      defer(async () => {
        const duplex = toDuplex(socket).on('error', () => {});
        duplex.cork();
        for (const half of halves()) duplex.write(half);
        duplex.end();
        await once(duplex, 'finish');
      }),
    toWritableStream: (socket) => from(new Blob([Buffer.alloc(BYTES, 'x')]).stream().pipeTo(toWritableStream(socket))),
  };

  test.each(Object.entries(ways))(
    'waits in %s, uncounted, and is written with its FIN when there is room',
    async (_, write) => {
      const { budget, hog, socket, peer } = await full();
      const { log, ended } = record(write(socket));
      await turns(20);
      expect({ used: budget.used, bytesWritten: socket.bytesWritten }).toEqual({ used: 900 * KB, bytesWritten: 0 });
      expect(log.filter((name) => /^(error|complete)/.test(name))).toEqual([]);
      hog.peer.resume();
      const { bytes, end } = await drainRaw(peer);
      expect({ length: bytes.length, end }).toEqual({ length: BYTES, end: 'end' });
      peer.end();
      expect(await ended).toEqual({});
      expect(hog.socket.readyState).toBe('open');
    },
  );

  test.each(Object.entries(ways))('fails in %s with its socket, and the peer sees no clean end', async (_, write) => {
    const { socket, peer } = await full();
    const { ended } = record(write(socket));
    await turns(20);
    socket.error();
    expect((await ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
    expect(await drainRaw(peer)).toMatchObject({ end: 'ECONNRESET' });
  });

  test('is lost with an abort, and not with a FIN, when the transfer is stopped', async () => {
    const { socket, peer } = await full();
    const { subscription } = record(chunk().pipe(writeTo(socket)));
    await turns(2);
    subscription.unsubscribe();
    expect(await drainRaw(peer)).toMatchObject({ end: 'ECONNRESET' });
  });

  test('is lost with an abort, and not with a FIN, when its stream is destroyed', async () => {
    const { socket, peer } = await full();
    const duplex = toDuplex(socket);
    duplex.write(Buffer.alloc(BYTES));
    await turns(2);
    duplex.destroy();
    expect(await drainRaw(peer)).toMatchObject({ end: 'ECONNRESET' });
  });

  test('fails when complete() comes before it, and the peer sees no clean end', async () => {
    const { socket, peer } = await full();
    const { ended } = record(chunk().pipe(writeTo(socket)));
    await turns(2);
    socket.complete();
    expect((await ended).error).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
    expect(await drainRaw(peer)).toMatchObject({ end: 'ECONNRESET' });
  });

  test('is written in its order before the next chunk of a source that cannot be held', async () => {
    const { hog, socket, peer } = await full();
    hog.peer.resume();
    record(of(Buffer.alloc(BYTES, 'x'), 'y', 'z').pipe(writeTo(socket)));
    const { bytes } = await drainRaw(peer);
    expect(bytes.toString('latin1')).toBe(`${'x'.repeat(BYTES)}yz`);
  });

  test('does not wait if it is more than half of the budget, and fails its socket', async () => {
    const { hog, socket } = await full();
    const { ended } = record(of(Buffer.alloc(64 * MB)).pipe(writeTo(socket)));
    expect((await ended).error).toMatchObject({ code: 'ERR_MEMORY_BUDGET' });
    expect(hog.socket.readyState).toBe('open');
  });
});

describe.each([true, false])('received bytes, with the reads of Node tapped: %s', (tapped) => {
  const limit = 4 * MB;
  /** Sockets that are held, and whose peers send 200 KiB each, which is more than they read ahead. */
  async function held(count: number, budget = memoryBudget(limit)) {
    nodeInternals.reads = tapped;
    onTestFinished(() => {
      nodeInternals.reads = true;
    });
    const sockets = await pairs(count, { budget });
    const reading = sockets.map(({ socket, peer }) => {
      const release = socket.hold('test');
      const bytes = record(socket.pipe(data()));
      peer.end(Buffer.alloc(200 * KB, 'x'));
      return { socket, peer, release, bytes };
    });
    return { budget, reading };
  }

  test('held sockets stop reading ahead, and nothing is lost', async () => {
    const { budget, reading } = await held(100);
    await expect.poll(() => budget.used).toBeGreaterThan(limit / 4);
    await turns();
    expect(budget.used).toBeLessThanOrEqual(limit);
    expect(budget.used).toBe(reading.reduce((sum, { socket }) => sum + socket.readableLength, 0));
    for (const { release } of reading) release();
    for (const { bytes } of reading) {
      expect(await bytes.ended).toEqual({});
      expect(bytes.values.reduce((sum, { length }) => sum + length, 0)).toBe(200 * KB);
    }
    expect(budget.used).toBe(0);
  });

  test('a hold stops a socket that is reading when the budget is short', async () => {
    const budget = memoryBudget(MB);
    const hog = await pair({ budget });
    await clog(hog.socket, 900 * KB);
    const { reading } = await held(1, budget);
    await turns();
    expect(reading[0]!.socket.bytesRead).toBe(0);
    reading[0]!.release();
    await reading[0]!.bytes.ended;
    expect(reading[0]!.socket.bytesRead).toBe(200 * KB);
  });

  test('held sockets read ahead again when only a quarter is in use, and so notice that the peer has gone', async () => {
    const budget = memoryBudget(MB);
    const hog = await pair({ budget });
    await clog(hog.socket, 900 * KB);
    const { reading } = await held(3, budget);
    await turns();
    hog.socket.error();
    await expect.poll(() => reading.map(({ socket }) => socket.bytesRead > 0)).toEqual([true, true, true]);
  });

  test('a reader takes bytes at its own pace however full the budget is', async () => {
    const budget = memoryBudget(MB);
    const hog = await pair({ budget });
    await clog(hog.socket, MB);
    const { socket, peer } = await pair({ budget });
    const bytes = record(socket.pipe(data()));
    peer.end(Buffer.alloc(5 * MB));
    await once(peer, 'finish');
    await bytes.ended;
    expect(socket.bytesRead).toBe(5 * MB);
    expect(hog.socket.readyState).toBe('open');
  });
});

test('received bytes never keep the room that they need to be written on', async () => {
  const budget = memoryBudget(MB);
  const echo = await rawServer((peer) => peer.pipe(peer));
  const server = listen({ budget });
  onTestFinished(() => server.close({ drain: 0 }));
  const port = await new Promise<number>((resolve) => {
    server.pipe(on('listening')).subscribe(({ address }) => resolve(address.port));
  });
  server
    .pipe(
      connections(),
      mergeMap((socket) => relay(socket, connect({ port: echo.port, budget }))),
    )
    .subscribe();
  // Each could read ahead 64 KiB in both directions: twelve times the budget.
  const sent = Buffer.alloc(MB);
  const answers = Array.from({ length: 100 }, async () => {
    const client = rawClient(port);
    client.end(sent);
    return (await drainRaw(client)).bytes.length;
  });
  expect(new Set(await Promise.all(answers))).toEqual(new Set([MB]));
  expect(budget.used).toBe(0);
});
