// noDelay and keepAlive reach the system, for dialled and accepted sockets.
import { connect, type TcpOptions } from '@rxsock/core';
import { httpConnect } from '@rxsock/core/proxy';
import { describe, expect, test } from 'vitest';
import { accepted, dial, opened, rawServer } from '../../../../tests/support/raw-peers.js';
import { recordTuningCalls } from '../../../../tests/support/tuning.js';

/** Whether this version of Node can set the interval and the count of probes. */
const hasProbes = Number.parseInt(process.versions.node, 10) >= 24;

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
    const { keepAlive: calls } = await recordTuningCalls(() => open({ keepAlive: { delay: keepAlive } }));
    expect(calls).toEqual([[true, seconds]]);
  });

  test('does not probe with a delay of 0', async () => {
    for (const keepAlive of [0, { delay: 0 }])
      expect(await recordTuningCalls(() => open({ keepAlive }))).toMatchObject({ keepAlive: [] });
  });

  const withProbes = [
    [{ delay: 5_000, interval: 2_000, count: 3 }, [true, 5, 2, 3]],
    [{ delay: 1, interval: 1, count: 1 }, [true, 1, 1, 1]],
    [{ delay: 5_000, interval: 1_500 }, [true, 5, 2]],
    [{ delay: 5_000, count: 127 }, [true, 5, undefined, 127]],
  ] as const;

  if (hasProbes) {
    test.each(withProbes)('gives the system the interval and the count of the probes: %o', async (keepAlive, args) => {
      const { keepAlive: calls } = await recordTuningCalls(() => open({ keepAlive }));
      expect(calls).toEqual([args]);
    });
  } else {
    test.each(withProbes)('refuses at the call what this version of Node would ignore: %o', async (keepAlive) => {
      const [option] = Object.keys(keepAlive).slice(1);
      await expect((async () => open({ keepAlive }))()).rejects.toMatchObject({
        name: 'SocketError',
        code: 'ERR_OPTION_UNSUPPORTED',
        message: expect.stringContaining(`keepAlive.${option} needs Node 26.4`),
      });
    });
  }
});

test('through a proxy, probes the proxy', async () => {
  const proxy = await rawServer((peer) => void peer.write('HTTP/1.1 200 OK\r\n\r\n'));
  const via = httpConnect({ host: '127.0.0.1', port: proxy.port });
  const open = () => opened(dial({ port: 1, via, keepAlive: 5_000, keepOpen: true }));
  expect(await recordTuningCalls(open)).toMatchObject({ keepAlive: [[true, 5]] });
});

test('refuses times that the system does not take, and would replace by hours', () => {
  for (const keepAlive of [32_767_001, { delay: 32_767_001 }, { delay: 1, interval: 32_767_001 }])
    expect(() => connect({ port: 1, keepAlive })).toThrow(/keepAlive.* to 32767000/);
});
