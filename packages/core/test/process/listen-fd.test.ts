// listen({ fd }): listening on a descriptor that was inherited.
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listen, serve } from '@rxsock/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { exited, heir, listening, said } from '../../../../tests/support/processes/index.js';
import { drainRaw } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

async function answerOf(port: number): Promise<string> {
  const peer = net.connect({ port, host: '127.0.0.1' });
  const { bytes, end } = await drainRaw(peer);
  return `${bytes} ${end}`;
}

test('listens where the descriptor was bound to, and accepts', async () => {
  const server = await listening(listen());
  const child = heir([server.fd], { fd: 3 });
  expect(await said(child)).toEqual({ address: server.address, fd: 3 });
  const port = server.address?.port as number;
  await server.close();
  expect(await answerOf(port)).toBe(`heir ${child.pid}\n end`);
});

test('closing it closes nothing of those who have it too', async () => {
  const server = listen();
  const { log } = record(server.pipe(serve(() => 'first')));
  onTestFinished(() => server.close({ drain: 0 }));
  await expect.poll(() => log).toEqual(['listening']);
  const child = heir([server.fd as number], { fd: 3 });
  await said(child);
  child.send('close');
  expect(await said(child)).toBe('closed');
  expect(await answerOf(server.address?.port as number)).toBe('first end');
});

test('a UNIX socket is refused, and its file stays', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rxsock-fd-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'socket');
  const server = net.createServer().listen(path);
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { _handle: handle } = server as unknown as { _handle: { fd: number } };
  const child = heir([handle.fd], { fd: 3 });
  expect(await said(child)).toEqual({
    name: 'SocketError',
    code: 'EINVAL',
    message:
      'Cannot listen on descriptor 3: it is a socket, but none of TCP: the listen() of @rxsock/unix takes those of UNIX',
  });
  await exited(child);
  expect((await stat(path)).isSocket()).toBe(true);
});

test('what is no socket is refused', async () => {
  const file = await open(import.meta.filename);
  onTestFinished(() => file.close());
  const { log, ended } = record(listen({ fd: file.fd }));
  expect((await ended).error).toMatchObject({
    code: 'EINVAL',
    phase: 'open',
    message: `Cannot listen on descriptor ${file.fd}: it is not open, or no socket of TCP that can listen`,
  });
  expect(log).toEqual(['error:EINVAL']);
});

test('so is what is not open, and a connection', async () => {
  const message = 'Cannot listen on descriptor 999: it is not open, or no socket of TCP that can listen';
  expect(await said(heir([], { fd: 999 }))).toEqual({ name: 'SocketError', code: 'EINVAL', message });
  const server = net.createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const peer = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  onTestFinished(() => void peer.destroy());
  await new Promise((resolve) => peer.once('connect', resolve));
  const { _handle: handle } = peer as unknown as { _handle: { fd: number } };
  expect(await said(heir([handle.fd], { fd: 3 }))).toMatchObject({
    code: 'EINVAL',
    message: message.replace('999', '3'),
  });
});

test.each([-1, 1.5, Number.NaN, '3', null, 2 ** 31])('%o is no descriptor', (fd) => {
  expect(() => listen({ fd: fd as number })).toThrow(RangeError);
});

test.each([{ port: 0 }, { host: '127.0.0.1' }, { ipv6Only: true }])('%o beside it means nothing', (beside) => {
  expect(() => listen({ fd: 3, ...beside })).toThrow(TypeError);
});

describe('server.fd', () => {
  test('is there while it listens', async () => {
    const server = listen();
    expect(server.fd).toBeUndefined();
    const { log } = record(server);
    expect(server.fd).toBeUndefined();
    await expect.poll(() => log).toEqual(['listening']);
    expect(server.fd).toBeGreaterThan(2);
    const closed = server.close();
    expect(server.fd).toBeUndefined();
    await closed;
    expect(server.fd).toBeUndefined();
  });
});
