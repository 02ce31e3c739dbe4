// The attack: make the server keep more than it can. The defences are on by default: maxLength of the codecs,
// maxConnections and claimTimeout. What was announced is not allocated, only what has arrived.

import type net from 'node:net';
import {
  connections,
  data,
  type InternetEndpoint,
  lengthPrefixed,
  lines,
  listen,
  on,
  type Server,
  type Socket,
  serve,
} from '@rxsock/core';
import { firstValueFrom, map, type Observable } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { drainRaw, rawClient } from '../support/raw-peers.js';

const KIB = 1024;

/** Starts a server. Returns its port, and the next error of a connection, with the connection. */
async function start(server: Server<InternetEndpoint>, answer: (bytes: Observable<Buffer>) => Observable<string>) {
  onTestFinished(() => void server.close({ drain: 0 }));
  const listening = firstValueFrom(server.pipe(on('listening')));
  const events = server.pipe(serve((socket) => socket.pipe(data(), answer)));
  const failed = firstValueFrom(events.pipe(on('connectionError')));
  // Without a failure the test ends before that.
  failed.catch(() => {});
  return { port: (await listening).address.port, failed };
}

/** Sends zeros for as long as the peer takes them. Resolves when the connection has ended. */
async function sendForEver(port: number): Promise<string> {
  const client = rawClient(port);
  const chunk = Buffer.alloc(64 * KIB);
  const send = () => {
    while (!client.destroyed && client.write(chunk));
  };
  client.on('connect', send).on('drain', send);
  return (await drainRaw(client)).end;
}

test('a line without an end is refused after 64 KiB, and the peer is reset', async () => {
  const { port, failed } = await start(listen(), (bytes) => bytes.pipe(lines(), map(String)));
  expect(await sendForEver(port)).toBe('ECONNRESET');
  const { error, socket } = await failed;
  expect(error).toMatchObject({ code: 'ERR_FRAME_TOO_LONG', limit: 64 * KIB });
  // The limit, and what was read ahead.
  expect((socket as Socket).bytesRead).toBeLessThan(512 * KIB);
});

test('a length over the limit is refused from its header', async () => {
  const answer = (bytes: Observable<Buffer>) => bytes.pipe(lengthPrefixed({ lengthField: 8 }), map(String));
  const { port, failed } = await start(listen(), answer);
  const client = rawClient(port);
  client.write(Buffer.from('00000001000000010a', 'hex'));
  expect((await drainRaw(client)).end).toBe('ECONNRESET');
  expect((await failed).error).toMatchObject({ code: 'ERR_FRAME_TOO_LONG', limit: 16 * KIB * KIB });
});

test('a hundred clients that announce 16 MiB each, in nine bytes, cost no more than they send', async () => {
  const answer = (bytes: Observable<Buffer>) => bytes.pipe(lengthPrefixed({ lengthField: 8 }), map(String));
  const server = listen();
  const { port } = await start(server, answer);
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 100; i++) rawClient(port).write(Buffer.from('00000000010000000a', 'hex'));
  await expect.poll(() => [...server.sockets].filter((socket) => socket.bytesRead === 9).length).toBe(100);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * KIB * KIB);
});

test('a flood of connections beyond maxConnections is dropped, and those within it are served on', async () => {
  const server = listen({ maxConnections: 10 });
  const { port } = await start(server, (bytes) => bytes.pipe(map(String)));
  const drops: string[] = [];
  server.pipe(on('drop')).subscribe(({ reason }) => drops.push(reason));
  const served = Array.from({ length: 10 }, () => rawClient(port));
  await expect.poll(() => server.sockets.size).toBe(10);
  const flood = Array.from({ length: 200 }, () => rawClient(port));
  await Promise.all(flood.map((client) => drainRaw(client)));
  expect(drops).toEqual(Array(200).fill('maxConnections'));
  for (const client of served) client.end('still here');
  const answers = await Promise.all(served.map(async (client) => String((await drainRaw(client)).bytes)));
  expect(answers).toEqual(Array(10).fill('still here'));
});

test('a thousand connections of one client do not keep another one out', async () => {
  const server = listen({ maxConnectionsPerAddress: 20, maxConnections: 100 });
  onTestFinished(() => void server.close({ drain: 0 }));
  const drops: string[] = [];
  server.pipe(on('drop')).subscribe(({ reason }) => drops.push(reason));
  server.pipe(serve((socket) => socket.pipe(data()))).subscribe();
  const { port } = (await firstValueFrom(server.pipe(on('listening')))).address;
  const greedy: net.Socket[] = [];
  // Fewer at once than the kernel keeps: it would answer the others only after seconds.
  while (greedy.length < 1_000) {
    greedy.push(...Array.from({ length: 200 }, () => rawClient(port)));
    await expect.poll(() => drops.length).toBe(greedy.length - 20);
  }
  const ask = async (localAddress: string) => {
    const client = rawClient(port, { localAddress });
    client.end('hello');
    return String((await drainRaw(client)).bytes);
  };
  expect(await ask('127.0.0.2')).toBe('hello');
  expect(drops).toEqual(Array(980).fill('maxConnectionsPerAddress'));
  expect(await ask('127.0.0.1')).toBe('');
  for (const client of greedy) client.resetAndDestroy();
  await expect.poll(() => server.sockets.size).toBe(0);
  expect(await ask('127.0.0.1')).toBe('hello');
});

test('connections that the application forgets are closed after claimTimeout', async () => {
  const server = listen({ claimTimeout: 100 });
  onTestFinished(() => void server.close({ drain: 0 }));
  server.pipe(connections()).subscribe();
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  const clients = Array.from({ length: 50 }, () => rawClient(address.port));
  const ends = await Promise.all(clients.map(async (client) => (await drainRaw(client)).end));
  expect(ends).toEqual(Array(50).fill('ECONNRESET'));
});
