// Before the handshake is over: silence, junk, servers that leave, and leaving ourselves.
import { once } from 'node:events';
import type net from 'node:net';
import { ConnectError, on, type Socket } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { firstValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { closedPort, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { versions } from '../support/identities.js';
import { dial, nodeServer, secured } from '../support/peers.js';
import { wireTo } from '../support/wire.js';

const securing = (socket: Socket) => firstValueFrom(socket.pipe(on('connect')));

/** A socket whose server says nothing, and the server's end of the connection. */
async function unanswered(
  options: Partial<Parameters<typeof dial>[0]> = {},
): Promise<{ socket: Socket; peer: net.Socket }> {
  const server = await rawServer();
  const socket = dial({ port: server.port, ...options });
  const [peer] = await Promise.all([server.next(), securing(socket)]);
  // Its ClientHello: unread bytes would hide from Node what comes after them.
  peer.resume();
  await once(peer, 'data');
  return { socket, peer };
}

/** How the other side sees the connection end. */
async function seenBy(peer: net.Socket): Promise<string> {
  return new Promise((resolve) => {
    peer.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'error'));
    peer.once('end', () => resolve('end'));
  });
}

test('handshakeTimeout ends a silent handshake, in virtual time', async () => {
  const scheduler = new VirtualClock();
  const { socket } = await unanswered({ scheduler, keepOpen: true });
  const { log, values, ended } = record(socket);
  scheduler.tick(9_999);
  await turns();
  expect(log).toEqual(['connect']);
  scheduler.tick(1);
  expect((await ended).error).toMatchObject({
    name: 'SocketTimeoutError',
    code: 'ETIMEDOUT',
    timeout: 'handshakeTimeout',
    milliseconds: 10_000,
    phase: 'open',
  });
  expect(values.at(-1)).toMatchObject({ report: { by: 'local', how: 'timeout', bytesRead: 0, bytesWritten: 0 } });
});

test('connectTimeout does not include the handshake', async () => {
  const scheduler = new VirtualClock();
  const { socket } = await unanswered({ scheduler, connectTimeout: 100, handshakeTimeout: 0, keepOpen: true });
  const { log } = record(socket);
  scheduler.tick(1_000_000_000);
  await turns();
  expect(log).toEqual(['connect']);
});

test('the timeout stops with the handshake', async () => {
  const scheduler = new VirtualClock();
  const server = await nodeServer();
  const socket = dial({ port: server.port, scheduler, keepOpen: true });
  const { log } = record(socket);
  await secured(socket);
  scheduler.tick(1_000_000);
  await turns();
  expect(log.at(-1)).toBe('secureConnect');
});

test.each([
  ['junk', (peer: net.Socket) => peer.write('220 ready\r\n'), 'ERR_TLS_HANDSHAKE'],
  ['a FIN', (peer: net.Socket) => peer.end(), 'ERR_TLS_HANDSHAKE'],
  ['a reset', (peer: net.Socket) => peer.resetAndDestroy(), 'ERR_TLS_HANDSHAKE'],
])('%s in place of a handshake is reported once, and queued bytes are not sent', async (_, answer, code) => {
  const { socket, peer } = await unanswered({ keepOpen: true });
  const { log, ended } = record(socket);
  const written = socket.write('a secret');
  answer(peer);
  const { error } = await ended;
  expect(error).toMatchObject({ name: 'SocketError', code, phase: 'open' });
  expect((error as Error).message).toMatch(/^The TLS handshake with 127\.0\.0\.1:\d+ failed: /);
  expect((error as Error).cause).toBeInstanceOf(Error);
  expect(log).toEqual(['connect', 'close', `error:${code}`]);
  await expect(written).rejects.toBe(error);
  expect(socket.readyState).toBe('closed');
});

test('a refused connection is a ConnectError, as over TCP', async () => {
  const { error } = await record(dial({ port: await closedPort() })).ended;
  expect(error).toBeInstanceOf(ConnectError);
  expect(error).toMatchObject({ code: 'ECONNREFUSED', phase: 'open' });
});

describe('leaving during the handshake', () => {
  test('by error() resets for the peer, and subscribers get the error once', async () => {
    const { socket, peer } = await unanswered({ keepOpen: true });
    const { log, ended } = record(socket);
    const seen = seenBy(peer);
    socket.error(new Error('enough'));
    expect((await ended).error).toMatchObject({ name: 'AbortedError', phase: 'open' });
    expect(await seen).toBe('ECONNRESET');
    await turns();
    expect(log).toEqual(['connect', 'close', 'error:ERR_SOCKET_ABORTED']);
  });

  test('by the signal aborts', async () => {
    const abort = new AbortController();
    const { socket, peer } = await unanswered({ keepOpen: true, signal: abort.signal });
    const { ended } = record(socket);
    const seen = seenBy(peer);
    abort.abort(new Error('no time'));
    expect((await ended).error).toMatchObject({ name: 'AbortedError', cause: { message: 'no time' } });
    expect(await seen).toBe('ECONNRESET');
  });

  test('by a signal that was aborted before does not dial', async () => {
    const server = await rawServer();
    const socket = dial({ port: server.port, signal: AbortSignal.abort() });
    expect((await record(socket).ended).error).toMatchObject({ name: 'AbortedError' });
    await turns();
    expect(server.peers).toEqual([]);
  });

  test('by unsubscribing closes, if nothing is queued', async () => {
    const { port } = await rawServer();
    const wire = await wireTo(port);
    const socket = dial({ port: wire.port });
    await securing(socket);
    expect(await wire.toServer.ended).toBe('RST');
    await expect.poll(() => socket.readyState).toBe('closed');
  });

  test('by unsubscribing first sends what is queued', async () => {
    const server = await nodeServer();
    const socket = dial({ port: server.port });
    socket.next('a message');
    socket.subscribe().unsubscribe();
    const peer = await server.next();
    expect(String((await once(peer, 'data'))[0])).toBe('a message');
    peer.end();
    await expect.poll(() => socket.readyState).toBe('closed');
  });

  test('by close() with a timeout aborts after it', async () => {
    const { socket, peer } = await unanswered({ keepOpen: true });
    const seen = seenBy(peer);
    expect(await socket.close({ timeout: 20 })).toMatchObject({ by: 'local', how: 'timeout' });
    expect(await seen).toBe('ECONNRESET');
  });
});

test.each(versions)(
  'keepOpen keeps an open socket, which otherwise closes when the last subscriber leaves, in %s',
  async (version) => {
    const server = await nodeServer({ maxVersion: version });
    const kept = dial({ port: server.port, keepOpen: true });
    const left = dial({ port: server.port });
    await Promise.all([secured(kept), server.next()]);
    await secured(left);
    const peer = await server.next();
    peer.resume();
    await once(peer, 'end');
    peer.end();
    await expect.poll(() => left.readyState).toBe('closed');
    expect(kept.readyState).toBe('open');
  },
);
