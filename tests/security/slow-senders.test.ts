// The attack: send a request so slowly that it never ends, or say nothing at all, on as many connections as the server
// takes. The defences: frameTimeout and idleTimeout. Both are off by default, because a client may have to wait for
// hours. A server sets them.
import { data, type ListenOptions, lines, listen, on, type SocketTimeoutError, serve } from '@rxsock/core';
import { firstValueFrom, map } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { drainRaw, rawClient } from '../support/raw-peers.js';

/** A server that answers each line, its port, and the errors of its connections. */
async function start(options: ListenOptions, frameTimeout = 0) {
  const server = listen(options);
  onTestFinished(() => void server.close({ drain: 0 }));
  const handler = serve((socket) =>
    socket.pipe(
      data(),
      lines({ frameTimeout }),
      map((line) => `you said ${line}\n`),
    ),
  );
  const errors: unknown[] = [];
  server.pipe(handler, on('connectionError')).subscribe(({ error }) => errors.push(error));
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  return { server, errors, port: address.port };
}

/** Connects, sends a line, and returns the answer. */
async function ask(port: number): Promise<string> {
  const client = rawClient(port);
  client.end('hello\n');
  return String((await drainRaw(client)).bytes);
}

test('a line that arrives one byte at a time is given up by frameTimeout, though it never pauses', async () => {
  const { port, errors } = await start({ idleTimeout: 60_000 }, 300);
  const client = rawClient(port);
  const dripping = setInterval(() => client.write('x'), 10);
  client.once('close', () => clearInterval(dripping));
  const { end } = await drainRaw(client);
  expect(end).toBe('ECONNRESET');
  expect(errors).toMatchObject([{ code: 'ETIMEDOUT', timeout: 'frameTimeout' }]);
  expect(await ask(port)).toBe('you said hello\n');
});

test('clients that say nothing, or half a line, give their places back at idleTimeout', async () => {
  const { port, server, errors } = await start({ idleTimeout: 300, maxConnections: 100 });
  const clients = Array.from({ length: 100 }, () => rawClient(port));
  for (const client of clients.slice(50)) client.write('half a li');
  await expect.poll(() => errors.length).toBe(100);
  expect(new Set(errors.map((error) => (error as SocketTimeoutError).timeout))).toEqual(new Set(['idleTimeout']));
  await expect.poll(() => server.sockets.size).toBe(0);
  expect(await ask(port)).toBe('you said hello\n');
});

test('clients that end in the middle of a line and never close do not stay', async () => {
  const { port, server } = await start({ finTimeout: 300, lingerTimeout: 300 });
  const clients = Array.from({ length: 100 }, () => rawClient(port));
  for (const client of clients) client.end('half a li');
  // They have our FIN, and keep their ends open.
  await Promise.all(clients.map((client) => drainRaw(client)));
  await expect.poll(() => server.sockets.size).toBe(0);
});
