// A failed write consumes the kernel's error, and the next read looks like an end. Only a peer that sent its FIN has
// ended. These errors do not occur on loopback, so the stream simulates them.
import net from 'node:net';
import { Connection, resolveSocketOptions, Socket } from '@rxsock/core/internal';
import { expect, onTestFinished, test } from 'vitest';
import { rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

/** A socket whose writes fail. */
function failing(port: number, code: string): Socket {
  const open = () => {
    const stream = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const refuse = (done: (error: Error) => void) =>
      done(Object.assign(new Error('refused'), { code, syscall: 'write' }));
    stream._write = (_chunk, _encoding, done) => refuse(done);
    stream._writev = (_chunks, done) => refuse(done);
    return stream;
  };
  const transport = { type: 'tcp', open, readyEvent: 'connect', target: 'test' } as const;
  const socket = new Socket(new Connection(transport, resolveSocketOptions(), { connectTimeout: 1000 }));
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
