// connect() and listen() with a service name as port: they read the table while they dial or start. A name that is not
// in the table is their error.
import { ConnectError, connect, listen } from '@rxsock/core';
import { expect, test, vi } from 'vitest';
import { closedPort, dial, opened, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { servicesFile } from '../support/services-file.js';

const system = vi.hoisted(() => ({ file: '/nonexistent/services' }));
vi.mock('../../src/lookup/services-file.js', () => ({
  get SERVICES_FILE() {
    return system.file;
  },
}));

test.each(['127.0.0.1', 'localhost'])('connects to %s', async (host) => {
  const server = await rawServer();
  system.file = await servicesFile(`parrot ${server.port}/tcp polly`);
  const socket = connect({ host, port: 'polly', family: 4 });
  socket.next('hello');
  const { log, subscription } = record(socket);
  const peer = await server.next();
  expect(await new Promise((resolve) => peer.once('data', resolve).resume())).toEqual(Buffer.from('hello'));
  expect(socket.remote).toMatchObject({ port: server.port });
  expect(log).toContain('connect');
  subscription.unsubscribe();
});

test('fails to connect to an unknown service', async () => {
  system.file = await servicesFile('parrot 1/tcp');
  const socket = connect({ port: 'dead-parrot' });
  const { ended, log } = record(socket);
  expect(socket.readyState).toBe('resolving');
  const { error } = await ended;
  expect(error).toBeInstanceOf(ConnectError);
  expect(error).toMatchObject({ code: 'ERR_UNKNOWN_SERVICE', phase: 'open', attempts: [] });
  expect((error as Error).message).toContain(`Cannot connect to localhost:dead-parrot: There is no tcp service`);
  expect(log).toEqual(['close', 'error:ERR_UNKNOWN_SERVICE']);
});

test('fails to connect if the table is missing', async () => {
  system.file = '/nonexistent/services';
  const { error } = await record(connect({ port: 'parrot' })).ended;
  expect(error).toBeInstanceOf(ConnectError);
  expect(error).toMatchObject({ code: 'ENOENT', attempts: [] });
});

test.each(['127.0.0.1', 'somewhere'])('does not dial %s if it is aborted while the table is read', async (host) => {
  const server = await rawServer();
  system.file = await servicesFile(`parrot ${server.port}/tcp`);
  const lookup = vi.fn();
  const socket = dial({ host, port: 'parrot', lookup });
  const { ended } = record(socket);
  socket.error('enough');
  expect((await ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
  // The table has been read by now: it is the same promise.
  await opened(dial({ port: server.port }));
  await turns();
  expect(server.peers).toHaveLength(1);
  expect(lookup).not.toHaveBeenCalled();
});

test('listens on a named port', async () => {
  const port = await freePort();
  system.file = await servicesFile(`parrot ${port}/tcp`);
  const server = listen({ port: 'parrot' });
  const { log, subscription } = record(server);
  await expect.poll(() => log).toEqual(['listening']);
  expect(server.address).toEqual({ address: '127.0.0.1', port, family: 'IPv4' });
  await opened(dial({ port: 'parrot' }));
  subscription.unsubscribe();
});

test('fails to listen on an unknown service', async () => {
  system.file = await servicesFile('');
  const { error } = await record(listen({ port: 'dead-parrot' })).ended;
  expect(error).toMatchObject({ name: 'SocketError', code: 'ERR_UNKNOWN_SERVICE', phase: 'open' });
  expect((error as Error).message).toContain('Cannot listen on 127.0.0.1:dead-parrot: There is no tcp service');
});

test.each(['parrot', 'dead-parrot'])(
  'a server of %s that is closed before the table is read does not listen',
  async (port) => {
    system.file = await servicesFile(`parrot ${await closedPort()}/tcp`);
    const server = listen({ port });
    const { log } = record(server);
    await server.close();
    await turns();
    expect(log).toEqual(['draining', 'close', 'complete']);
    expect((await record(server).ended).error).toBeUndefined();
    expect(server.address).toBeUndefined();
  },
);

test.each(['', '80', 'a b', 'a/tcp'])('rejects %o, which is neither a port nor a name', (port) => {
  const message = `port must be an integer from 0 to 65535, or the name of a service, not '${port}'`;
  expect(() => connect({ port })).toThrow(new TypeError(message));
  expect(() => listen({ port })).toThrow(new TypeError(message));
});

/** A port that is free. */
async function freePort(): Promise<number> {
  const server = listen();
  const { log, subscription } = record(server);
  await expect.poll(() => log).toEqual(['listening']);
  const { port } = server.address as { readonly port: number };
  subscription.unsubscribe();
  await server.close();
  return port;
}
