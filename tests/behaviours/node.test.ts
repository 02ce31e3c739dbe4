// The behaviours of Node in docs/conformance.md that no other test holds.
import { listen, on, type Server, type Socket } from '@rxsock/core';
import * as tls from '@rxsock/tls';
import { defer, filter, firstValueFrom, retry } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { expectSame } from '../compliance/support/bytes.js';
import { recordStory } from '../compliance/support/story.js';
import { cert, key } from '../support/certificate.js';
import { garbageCollected } from '../support/garbage.js';
import { accepted, dial, drainRaw, pair, rawServer } from '../support/raw-peers.js';
import { turns } from '../support/turns.js';

test('net-end-without-connect: complete() of an idle socket dials, sends FIN, and ends', async () => {
  const server = await rawServer();
  const socket = dial({ port: server.port });
  socket.complete();
  const peer = await server.next();
  expect(await drainRaw(peer)).toEqual({ bytes: Buffer.alloc(0), end: 'end' });
  peer.end();
  expect(await socket.close()).toMatchObject({ how: 'fin', bytesWritten: 0 });
});

test.each([
  ['a hold', [1], ''],
  ['a hold and its release', [1, -1], 'early'],
  ['a hold, its release and another hold', [1, -1, 1], ''],
  ['two holds and one release', [1, 1, -1], ''],
  ['two holds and two releases', [1, 1, -1, -1], 'early'],
])('net-pause-resume-connecting: %s while connecting', async (_what, steps, expected) => {
  const server = await rawServer((peer) => peer.end('early'));
  const socket = dial({ port: server.port, allowHalfOpen: true });
  const heard = recordStory(socket);
  expect(socket.readyState).toBe('connecting');
  const releases: (() => void)[] = [];
  for (const step of steps) {
    if (step > 0) releases.push(socket.hold('test'));
    else releases.pop()?.();
  }
  await firstValueFrom(socket.readyStates.pipe(filter((state) => state === 'writeOnly')));
  await turns();
  expect(`${heard.bytes}`).toBe(expected);
  for (const release of releases) release();
  await firstValueFrom(socket.pipe(on('end')));
  expect(`${heard.bytes}`).toBe('early');
});

test.each([
  ['a string of several bytes per character', 'ü€😀'.repeat(200_000)],
  ['a Buffer', Buffer.alloc(2_000_000, 'rxsock')],
  ['a part of an array', new Uint8Array(3_000_000).fill(7).subarray(500_000, 2_500_000)],
])('net-bytes-written-large: %s is counted in bytes', async (_what, chunk) => {
  const { socket, peer } = await pair();
  const received = drainRaw(peer);
  const sent = Buffer.from(chunk as string);
  socket.next(chunk);
  expect(socket.bytesWritten + socket.writableLength).toBe(sent.length);
  const report = socket.close();
  const { bytes, end } = await received;
  expectSame(bytes, sent);
  expect(end).toBe('end');
  peer.end();
  expect(await report).toMatchObject({ bytesWritten: sent.length, bytesUnsent: 0 });
});

test('net-server-try-ports: a server tries the next port when one is in use', async () => {
  const taken = await rawServer();
  const ports = [taken.port, taken.port, 0];
  const tried: Server[] = [];
  const listening = defer(() => {
    const server = listen({ port: ports[tried.length] as number });
    tried.push(server);
    onTestFinished(() => server.close({ drain: 0 }));
    return server.pipe(on('listening'));
  });
  const { address } = await firstValueFrom(listening.pipe(retry(5)));
  expect(tried).toHaveLength(3);
  expect(address.port).not.toBe(taken.port);
});

/** An open socket to a server that says nothing. */
const silent = {
  net: async () => (await accepted()).socket,
  tls: async () => {
    const server = tls.listen({ key, cert });
    onTestFinished(() => server.close({ drain: 0 }));
    server.pipe(on('connection')).subscribe(({ socket }) => socket.subscribe({ error: () => {} }));
    const { address } = await firstValueFrom(server.pipe(on('listening')));
    const socket = tls.connect({ port: address.port, host: '127.0.0.1', ca: cert, verifyHost: 'localhost' });
    onTestFinished(() => socket.error());
    await firstValueFrom(socket.pipe(on('secureConnect')));
    return socket;
  },
};

test.each(Object.entries(silent))(
  '%s-connect-memleak: an open connection keeps nothing of a subscriber that has left',
  async (_kind, open) => {
    const socket = await open();
    const stays = socket.pipe(on('close')).subscribe({ error: () => {} });
    onTestFinished(() => stays.unsubscribe());
    expect(await garbageCollected(leave(socket))).toBe(true);
    expect(socket.readyState).toBe('open');
  },
);

/** Subscribes with an object, and leaves. */
function leave(socket: Socket): WeakRef<object> {
  const seen: { events: unknown[] } = { events: [] };
  socket.subscribe({ next: (event) => seen.events.push(event), error: () => {} }).unsubscribe();
  return new WeakRef(seen);
}
