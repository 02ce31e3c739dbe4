// Dialling: both endpoints, bytes and half-close in both directions, what an abort looks like, and dials that fail.
import fs from 'node:fs';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { ConnectError, connections, data, on } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { type ConnectOptions, connect, listen } from '@rxsock/unix';
import { firstValueFrom, toArray } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { setNodeInternals } from '../../../../tests/support/node-internals.js';
import { drainRaw, opened } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import {
  asUnprivilegedUser,
  leaveStale,
  plainServer,
  started,
  temporaryPath,
} from '../../../../tests/support/unix-servers.js';

/** A dialled socket, and the socket that was accepted for it. */
async function pair(options: Partial<Omit<ConnectOptions, 'abstract' | 'path'>> = {}) {
  const { path } = temporaryPath();
  const server = listen({ path });
  await started(server);
  const socket = connect({ path, keepOpen: true, ...options });
  onTestFinished(() => socket.error());
  const [accepted] = await Promise.all([firstValueFrom(server.pipe(connections())), opened(socket)]);
  return { path, socket, accepted };
}

/** A dialled socket, and a plain socket at the other end. */
async function pairWithPlain(options: Partial<Omit<ConnectOptions, 'abstract' | 'path'>> = {}) {
  const { path } = temporaryPath();
  let onPeer: (peer: net.Socket) => void;
  const connected = new Promise<net.Socket>((resolve) => {
    onPeer = resolve;
  });
  await plainServer(path, (peer) => onPeer(peer.pause()));
  const socket = connect({ path, keepOpen: true, ...options });
  onTestFinished(() => socket.error());
  await opened(socket);
  return { socket, peer: await connected };
}

describe('a connection', () => {
  test('has the path at one end, and no name at the other', async () => {
    const { path, socket, accepted } = await pair();
    expect(socket.remote).toEqual({ path });
    expect(socket.local).toEqual({ path: '' });
    expect(accepted.remote).toEqual({ path: '' });
    expect(accepted.local).toEqual({ path });
    expect(await firstValueFrom(socket.pipe(on('connect')))).toEqual({
      type: 'connect',
      local: { path: '' },
      remote: { path },
    });
  });

  test.each([
    ['client', true],
    ['server', true],
    ['client', false],
    ['server', false],
  ])("carries bytes and half-closes, the %s first; with Node's internals: %s", async (first, inside) => {
    onTestFinished(setNodeInternals({ reads: inside, writes: inside }));
    const { socket, accepted } = await pair({ allowHalfOpen: true });
    accepted.allowHalfOpen = true;
    const [a, b] = first === 'client' ? [socket, accepted] : [accepted, socket];
    const [heardByA, heardByB] = [record(a), record(b)];
    a.next('question');
    a.complete();
    await expect.poll(() => heardByB.log).toContain('end');
    expect(a.readyState).toBe('readOnly');
    b.next('answer');
    b.complete();
    expect(await heardByA.ended).toEqual({});
    expect(await heardByB.ended).toEqual({});
    const bytes = ({ values }: typeof heardByA) =>
      values.map((event) => (event.type === 'data' ? `${event.data}` : '')).join('');
    expect([bytes(heardByB), bytes(heardByA)]).toEqual(['question', 'answer']);
    expect(heardByA.log.at(-2)).toBe('close');
  });

  test('carries megabytes, with a peer that has to wait', async () => {
    const { socket, accepted } = await pair();
    const chunk = Buffer.alloc(40_000, 'abcdefg');
    const release = accepted.hold('not yet');
    const received = firstValueFrom(accepted.pipe(data(), toArray()));
    for (let sent = 0; sent < 100; sent++) socket.next(chunk);
    socket.complete();
    await expect.poll(() => socket.bytesWritten).toBeGreaterThan(0);
    await turns();
    expect(socket.writableLength).toBeGreaterThan(2_000_000);
    release();
    expect(Buffer.concat(await received).equals(Buffer.concat(Array(100).fill(chunk)))).toBe(true);
  });

  test('that is aborted looks to the peer like one that has ended', async () => {
    const { socket, peer } = await pairWithPlain();
    const { ended } = record(socket);
    await socket.write('a part');
    socket.error(new Error('enough'));
    expect((await ended).error).toMatchObject({ name: 'AbortedError', code: 'ERR_SOCKET_ABORTED' });
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('a part'), end: 'end' });
  });

  test('that is aborted with unread bytes is reset', async () => {
    const { socket, peer } = await pairWithPlain();
    peer.write('never read');
    await new Promise((resolve) => peer.write('nor this', resolve));
    socket.error();
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
  });

  test('that the peer resets fails', async () => {
    const { socket, peer } = await pairWithPlain();
    const { ended } = record(socket);
    await socket.write('never read');
    peer.destroy();
    expect((await ended).error).toMatchObject({ name: 'ResetError', code: 'ECONNRESET' });
  });
});

describe('a dial fails at', () => {
  const failure = async (path: string) => {
    const { error } = await record(connect({ path })).ended;
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ phase: 'open', remote: { path }, attempts: [] });
    return error as ConnectError;
  };

  test('a path without a file', async () => {
    const { path } = temporaryPath();
    const error = await failure(path);
    expect(error.code).toBe('ENOENT');
    expect(error.message).toBe(`Cannot connect to ${path}: nothing is there: start its server first`);
    expect(error.cause).toMatchObject({ syscall: 'connect' });
  });

  test('a path through a file in place of a directory', async () => {
    const { path } = temporaryPath();
    fs.writeFileSync(path, '');
    expect((await failure(`${path}/s`)).code).toBe('ENOTDIR');
  });

  test.each([
    ['a file', (path: string) => fs.writeFileSync(path, '')],
    ['a directory', (path: string) => fs.mkdirSync(path)],
    ['a socket that a dead server left', leaveStale],
  ])('%s', async (_what, put) => {
    const { path } = temporaryPath();
    await put(path);
    expect(['ECONNREFUSED', 'ENOTSOCK']).toContain((await failure(path)).code);
  });

  test('a dangling link', async () => {
    const { path } = temporaryPath();
    fs.symlinkSync(`${path}-not`, path);
    expect((await failure(path)).code).toBe('ENOENT');
  });

  test('a socket that the mode forbids', async () => {
    const { path, folder } = temporaryPath();
    fs.chmodSync(folder, 0o755);
    await started(listen({ path }));
    const error = await asUnprivilegedUser(() => failure(path));
    expect(error.code).toBe(process.getuid?.() === 0 ? 'EACCES' : undefined);
  });

  test('a server with a full backlog', async () => {
    const { path } = temporaryPath();
    const worker = new Worker(new URL('../busy-server.mjs', import.meta.url), { workerData: path });
    onTestFinished(() => void worker.terminate());
    await new Promise((resolve) => worker.once('message', resolve));
    const waiting: net.Socket[] = [];
    onTestFinished(() => waiting.forEach((peer) => void peer.destroy()));
    const full = () =>
      new Promise<boolean>((resolve) => {
        const peer = net.connect(path, () => resolve(false)).on('error', () => resolve(true));
        waiting.push(peer);
      });
    while (!(await full()));
    expect((await failure(path)).code).toBe('EAGAIN');
  });
});

test('a link to a socket leads to it', async () => {
  const { path } = temporaryPath();
  await plainServer(`${path}-real`, (peer) => peer.end('hello'));
  fs.symlinkSync(`${path}-real`, path);
  expect(`${await firstValueFrom(connect({ path }).pipe(data()))}`).toBe('hello');
});

test('connectTimeout limits the dialling', async () => {
  const { path } = temporaryPath();
  await started(listen({ path }));
  const scheduler = new VirtualClock();
  const { ended } = record(connect({ path, connectTimeout: 1000, scheduler }));
  scheduler.tick(1000);
  expect((await ended).error).toMatchObject({
    name: 'SocketTimeoutError',
    timeout: 'connectTimeout',
    milliseconds: 1000,
  });
});

test('a signal aborts', async () => {
  const abort = new AbortController();
  const { socket } = await pair({ signal: abort.signal });
  const { ended } = record(socket);
  abort.abort(new Error('enough'));
  expect((await ended).error).toMatchObject({ name: 'AbortedError', cause: abort.signal.reason });
});

test.each([{ connectTimeout: -1 }, { highWaterMark: Number.NaN }])('rejects %o at the call', (options) => {
  expect(() => connect({ path: '/x', ...options })).toThrow(RangeError);
});
