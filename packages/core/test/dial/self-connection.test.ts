// A dial of a port on which nobody listens can connect to itself, if the system chooses this very port for it. A test
// makes it do so by localPort. Such an attempt is refused.
import { connect, data } from '@rxsock/core';
import { describe, expect, test } from 'vitest';
import { dial, opened, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { listenOn, resolvesTo } from '../support/dials.js';

/** A port that is free on all addresses. */
async function freePort(): Promise<number> {
  const { port, close } = await rawServer();
  close();
  return port;
}

describe.each(['127.0.0.1', '::1'])('%s', (localAddress) => {
  test('a connection to itself is refused', async () => {
    const port = await freePort();
    const socket = dial({ port, host: localAddress, localAddress, localPort: port });
    const { log, ended } = record(socket);
    const written = socket.write('to myself');
    const { error } = await ended;
    expect(error).toMatchObject({
      name: 'ConnectError',
      code: 'ECONNREFUSED',
      message: expect.stringContaining('led back to this socket itself'),
      attempts: [{ address: localAddress, port, code: 'ECONNREFUSED' }],
      cause: { message: expect.stringContaining('led back to this socket itself') },
    });
    await expect(written).rejects.toBe(error);
    expect(log).toEqual(['connectionAttempt', 'connectionAttemptFailed', 'close', 'error:ECONNREFUSED']);
  });

  test('the port is free afterwards, also for a server without SO_REUSEADDR', async () => {
    const port = await freePort();
    await record(connect({ port, host: localAddress, localAddress, localPort: port })).ended;
    expect((await listenOn(port, localAddress)).port).toBe(port);
  });
});

test('the message names the attempt that led back among those of several addresses', async () => {
  const port = await freePort();
  const lookup = resolvesTo('127.0.0.7', '127.0.0.1');
  const socket = dial({ port, host: 'several.test', lookup, localAddress: '127.0.0.1', localPort: port });
  const { error } = await record(socket).ended;
  expect((error as Error).message).toMatch(
    /: 127\.0\.0\.7 ECONNREFUSED, 127\.0\.0\.1 ECONNREFUSED \(the connection led back to this socket itself\)$/,
  );
});

test('the next address is tried', async () => {
  const { port } = await listenOn(0, '127.0.0.6');
  const lookup = resolvesTo('127.0.0.1', '127.0.0.6');
  const socket = dial({ port, host: 'several.test', lookup, localAddress: '127.0.0.1', localPort: port });
  const { log } = record(socket);
  await opened(socket);
  expect(log).toContain('connectionAttemptFailed');
  // The ports are equal, but not the addresses: this is not a connection to itself.
  expect([socket.local, socket.remote]).toEqual([
    { address: '127.0.0.1', port, family: 'IPv4' },
    { address: '127.0.0.6', port, family: 'IPv4' },
  ]);
});

test('a program may connect to its own server', async () => {
  const server = await rawServer((peer) => peer.end('here'));
  const { log, ended } = record(dial({ port: server.port, localAddress: '127.0.0.1' }).pipe(data()));
  expect(await ended).toEqual({});
  expect(log).toEqual(['here', 'complete']);
});
