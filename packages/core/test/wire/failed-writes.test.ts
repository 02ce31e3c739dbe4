// A failed write consumes the kernel's error, and the next read looks like an end. Only a peer that sent its FIN has
// ended. These errors do not occur on loopback, so the stream simulates them.
import net from 'node:net';
import type { SocketOptions } from '@rxsock/core';
import { Connection, resolveSocketOptions, Socket } from '@rxsock/core/internal';
import { VirtualClock } from '@rxsock/core/testing';
import { expect, onTestFinished, test } from 'vitest';
import { rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

/** A socket whose writes fail. */
function failing(port: number, code: string, options: SocketOptions = {}): Socket {
  const open = () => {
    const stream = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const refuse = (done: (error: Error) => void) =>
      done(Object.assign(new Error('refused'), { code, syscall: 'write' }));
    stream._write = (_chunk, _encoding, done) => refuse(done);
    stream._writev = (_chunks, done) => refuse(done);
    return stream;
  };
  const transport = { type: 'tcp', open, readyEvent: 'connect', target: 'test' } as const;
  const socket = new Socket(new Connection(transport, resolveSocketOptions(options), { connectTimeout: 1000 }));
  onTestFinished(() => socket.error());
  return socket;
}

test.each(['ETIMEDOUT', 'EHOSTUNREACH', 'ECONNRESET'])('an end after %s is not reported as an end', async (code) => {
  const server = await rawServer((peer) => peer.end('a part'));
  const socket = failing(server.port, code);
  socket.next('x');
  const { log, ended } = record(socket);
  expect((await ended).error).toMatchObject({ code, phase: 'write' });
  expect(log.slice(-3)).toEqual(['data', 'close', `error:${code}`]);
});

test('an end after EPIPE is an end: EPIPE says that our side is closed, and nothing about the peer', async () => {
  const server = await rawServer((peer) => peer.end('the whole'));
  const socket = failing(server.port, 'EPIPE');
  socket.next('x');
  const { log, ended } = record(socket);
  expect((await ended).error).toMatchObject({ code: 'EPIPE' });
  expect(log.slice(-4)).toEqual(['data', 'end', 'close', 'error:EPIPE']);
});

test('a peer that never ends after a failed write is given up after finTimeout, although somebody reads', async () => {
  const server = await rawServer((peer) => peer.write('a part'));
  const scheduler = new VirtualClock();
  const socket = failing(server.port, 'EHOSTUNREACH', { scheduler, finTimeout: 1000 });
  socket.next('x');
  const { log, ended } = record(socket);
  await expect.poll(() => log).toContain('data');
  await expect.poll(() => socket.readyState).toBe('closing');
  scheduler.tick(999);
  expect(log.at(-1)).toBe('data');
  scheduler.tick(1);
  expect((await ended).error).toMatchObject({ code: 'EHOSTUNREACH', phase: 'write' });
});

test('bytes of the peer restart finTimeout after a failed write', async () => {
  const server = await rawServer();
  const scheduler = new VirtualClock();
  const socket = failing(server.port, 'EHOSTUNREACH', { scheduler, finTimeout: 1000 });
  socket.next('x');
  const { log, ended } = record(socket);
  const peer = await server.next();
  await expect.poll(() => socket.readyState).toBe('closing');
  for (let sent = 1; sent <= 3; sent++) {
    scheduler.tick(900);
    peer.write('x');
    await expect.poll(() => socket.bytesRead).toBe(sent);
  }
  expect(log.filter((type) => type === 'data')).toHaveLength(3);
  scheduler.tick(1000);
  expect((await ended).error).toMatchObject({ code: 'EHOSTUNREACH' });
});
