// listen({ fd }): listening on an inherited descriptor.
import { open, stat } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { listen, serve } from '@rxsock/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { killChild, listening, nextMessage, startChild } from '../../../../tests/support/processes/index.js';
import { readAnswer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { testFolder } from '../../../../tests/support/temporary-folder.js';

test('listens on the address to which the descriptor is bound, and accepts', async () => {
  const server = await listening(listen());
  const child = startChild([server.fd], { fd: 3 });
  expect(await nextMessage(child)).toEqual({ address: server.address, fd: 3 });
  const port = server.address?.port as number;
  await server.close();
  expect(await readAnswer(port)).toBe(`child ${child.pid}\n end`);
});

test('close() does not close the copies of other processes', async () => {
  const server = listen();
  const { log } = record(server.pipe(serve(() => 'first')));
  onTestFinished(() => server.close({ drain: 0 }));
  await expect.poll(() => log).toEqual(['listening']);
  const child = startChild([server.fd as number], { fd: 3 });
  await nextMessage(child);
  child.send('close');
  expect(await nextMessage(child)).toBe('closed');
  expect(await readAnswer(server.address?.port as number)).toBe('first end');
});

test('rejects a UNIX socket and leaves its file', async () => {
  const folder = await testFolder();
  const path = join(folder, 'socket');
  const server = net.createServer().listen(path);
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { _handle: handle } = server as unknown as { _handle: { fd: number } };
  const child = startChild([handle.fd], { fd: 3 });
  expect(await nextMessage(child)).toEqual({
    name: 'SocketError',
    code: 'EINVAL',
    message: 'Cannot listen on descriptor 3: it is a UNIX socket: use listen() of @rxsock/unix',
  });
  await killChild(child);
  expect((await stat(path)).isSocket()).toBe(true);
});

test('rejects a descriptor that is not a socket', async () => {
  const file = await open(import.meta.filename);
  onTestFinished(() => file.close());
  const { log, ended } = record(listen({ fd: file.fd }));
  expect((await ended).error).toMatchObject({
    code: 'EINVAL',
    phase: 'open',
    message: `Cannot listen on descriptor ${file.fd}: it is not open, or it is not a listening TCP socket`,
  });
  expect(log).toEqual(['error:EINVAL']);
});

test('rejects a descriptor that is not open, and one of a connection', async () => {
  const message = 'Cannot listen on descriptor 999: it is not open, or it is not a listening TCP socket';
  expect(await nextMessage(startChild([], { fd: 999 }))).toEqual({ name: 'SocketError', code: 'EINVAL', message });
  const server = net.createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const peer = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  onTestFinished(() => void peer.destroy());
  await new Promise((resolve) => peer.once('connect', resolve));
  const { _handle: handle } = peer as unknown as { _handle: { fd: number } };
  expect(await nextMessage(startChild([handle.fd], { fd: 3 }))).toMatchObject({
    code: 'EINVAL',
    message: message.replace('999', '3'),
  });
});

test.each([-1, 1.5, Number.NaN, '3', null, 2 ** 31])('rejects %o as a descriptor', (fd) => {
  expect(() => listen({ fd: fd as number })).toThrow(typeof fd === 'number' ? RangeError : TypeError);
});

test.each([{ port: 0 }, { host: '127.0.0.1' }, { ipv6Only: true }])('rejects %o beside it', (beside) => {
  expect(() => listen({ fd: 3, ...beside })).toThrow(TypeError);
});

describe('server.fd', () => {
  test('is defined while the server listens', async () => {
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
