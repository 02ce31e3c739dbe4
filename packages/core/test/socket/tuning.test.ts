// noDelay and keepAlive reach the system, for dialled and accepted sockets.
import type { TcpOptions } from '@rxsock/core';
import { describe, expect, test } from 'vitest';
import { accepted, dial, opened, rawServer } from '../../../../tests/support/raw-peers.js';
import { recordTuningCalls } from '../../../../tests/support/tuning.js';

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
  test('sends small writes at once and does not probe by default', async () => {
    expect(await recordTuningCalls(() => open({}))).toEqual({ noDelay: [[true]], keepAlive: [] });
  });

  test('gathers small writes with noDelay: false', async () => {
    expect(await recordTuningCalls(() => open({ noDelay: false }))).toEqual({ noDelay: [], keepAlive: [] });
  });

  test.each([
    [90_000, 90],
    [1, 1],
    [1_500, 2],
  ])('probes an idle peer after %d milliseconds: the system is given %d seconds', async (keepAlive, seconds) => {
    expect(await recordTuningCalls(() => open({ keepAlive }))).toEqual({
      noDelay: [[true]],
      keepAlive: [[true, seconds]],
    });
  });
});
