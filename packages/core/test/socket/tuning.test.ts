// noDelay and keepAlive reach the system, for dialled sockets and for accepted ones.
import type { TcpOptions } from '@rxsock/core';
import { describe, expect, test } from 'vitest';
import { accepted, dial, opened, rawServer } from '../../../../tests/support/raw-peers.js';
import { told } from '../../../../tests/support/tuning.js';

const dialled = async (host: string, options: TcpOptions) => {
  const server = await rawServer();
  const socket = dial({ port: server.port, host, family: 4, keepOpen: true, ...options });
  await opened(socket);
};

const ways: [string, (options: TcpOptions) => Promise<unknown>][] = [
  ['dialled by address', (options) => dialled('127.0.0.1', options)],
  ['dialled by name', (options) => dialled('localhost', options)],
  ['accepted', (options) => accepted(options)],
];

describe.each(ways)('%s', (_, open) => {
  test('small writes are sent at once, and nobody probes', async () => {
    expect(await told(() => open({}))).toEqual({ noDelay: [[true]], keepAlive: [] });
  });

  test('or gathered', async () => {
    expect(await told(() => open({ noDelay: false }))).toEqual({ noDelay: [], keepAlive: [] });
  });

  test.each([
    [90_000, 90],
    [1, 1],
    [1_500, 2],
  ])('an idle peer is probed after %d milliseconds: the system is told %d seconds', async (keepAlive, seconds) => {
    expect(await told(() => open({ keepAlive }))).toEqual({ noDelay: [[true]], keepAlive: [[true, seconds]] });
  });
});
