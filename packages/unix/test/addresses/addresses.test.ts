// Addresses: what is rejected at the call, and what becomes of abstract names and pipe names.
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { data, serve, through } from '@rxsock/core';
import { connect, listen } from '@rxsock/unix';
import { lastValueFrom, of } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { client, started } from '../../../../tests/support/unix-servers.js';

const both = [
  ['connect', connect],
  ['listen', listen],
] as const;

/** Pretends to be on another system. */
function pretendPlatform(platform: NodeJS.Platform): void {
  const { platform: actual } = process;
  Object.defineProperty(process, 'platform', { value: platform });
  onTestFinished(() => void Object.defineProperty(process, 'platform', { value: actual }));
}

describe.each(both)('%s() rejects', (_name, open: (options: never) => unknown) => {
  test.each([
    ['nothing', {}, 'Pass either path or abstract'],
    ['both', { path: '/a', abstract: 'a' }, 'Pass either path or abstract'],
    ['an empty path', { path: '' }, 'path must be a string that is not empty'],
    ['an empty name', { abstract: '' }, 'abstract must be a string that is not empty'],
    ['a path that is not a string', { path: 7 }, 'path must be a string'],
    ['a NUL inside a path', { path: '/tmp/a\0b' }, 'path must be a string without NUL characters'],
    ['a NUL at the end of a path', { path: '/tmp/a\0' }, 'path must be a string without NUL characters'],
    ['a NUL inside a name', { abstract: 'a\0b' }, 'abstract must be a string without NUL characters'],
  ])('%s', (_what, options, message) => {
    expect(() => open(options as never)).toThrow(TypeError);
    expect(() => open(options as never)).toThrow(message);
  });

  test.each([
    ['path', { path: `/${'x'.repeat(107)}` }, 'path must have at most 107 bytes, not 108'],
    ['path, in bytes', { path: `/${'é'.repeat(54)}` }, 'path must have at most 107 bytes, not 109'],
    ['name', { abstract: 'x'.repeat(108) }, 'abstract must have at most 107 bytes, not 108'],
    ["name in Node's way", { path: `\0${'x'.repeat(108)}` }, 'must have at most 108 bytes, not 109'],
  ])('a %s that is too long', (_what, options, message) => {
    expect(() => open(options as never)).toThrow(RangeError);
    expect(() => open(options as never)).toThrow(message);
  });

  test('a shorter path on other systems', () => {
    pretendPlatform('darwin');
    expect(() => open({ path: `/${'x'.repeat(103)}` } as never)).toThrow('path must have at most 103 bytes, not 104');
    expect(() => open({ abstract: 'x' } as never)).toThrow('Abstract names exist on Linux only');
    expect(() => open({ path: '\0x' } as never)).toThrow('Abstract names exist on Linux only');
  });
});

test.each(['mode', 'removeStale'])('listen() rejects %s for an abstract name', (option) => {
  for (const endpoint of [{ abstract: 'x' }, { path: '\0x' }]) {
    expect(() => listen({ ...endpoint, [option]: 1 } as never)).toThrow('An abstract name has no file');
  }
});

describe('abstract names', () => {
  const unique = `rxsock-test-${process.pid}`;
  const lengths = () => {
    const rows = readFileSync('/proc/net/unix', 'latin1').split('\n');
    return rows.filter((row) => row.includes(`@${unique}`)).map((row) => row.length - row.indexOf('@'));
  };

  test('are padded with NULs on every Node version, and free again at the end', async () => {
    const server = listen({ abstract: unique });
    const { log, ended } = await started(server);
    expect(lengths()).toEqual([108]);
    client(`\0${unique}`.padEnd(108, '\0'));
    await expect.poll(() => log).toEqual(['listening', 'connection']);
    await server.close({ drain: 0 });
    await ended;
    expect(log.slice(-2)).toEqual(['close', 'complete']);
    expect(lengths()).toEqual([]);
  });

  // Node 20 pads them itself.
  test.each([
    [{ abstract: 'x' }, `\0x${'\0'.repeat(106)}`],
    [{ abstract: 'é' }, `\0é${'\0'.repeat(105)}`],
    [{ path: '\0x' }, '\0x'],
  ] as const)('%o reaches Node as the path it stands for', (endpoint, path) => {
    const dialled = vi.spyOn(net.Socket.prototype, 'connect').mockReturnThis();
    const listened = vi.spyOn(net.Server.prototype, 'listen').mockReturnThis();
    onTestFinished(() => void vi.restoreAllMocks());
    record(connect(endpoint)).subscription.unsubscribe();
    record(listen(endpoint)).subscription.unsubscribe();
    expect(dialled).toHaveBeenCalledExactlyOnceWith({ path });
    expect(listened).toHaveBeenCalledExactlyOnceWith({ path, backlog: 511, exclusive: true });
  });

  test.each([
    ['a name', { abstract: unique }],
    ['the longest name', { abstract: unique.padEnd(107, 'x') }],
    ["a name in Node's way", { path: `\0${unique}` }],
    ["the longest name in Node's way", { path: `\0${unique}`.padEnd(108, 'x') }],
  ] as const)('carry data: %s', async (_what, endpoint) => {
    const server = listen(endpoint);
    server.pipe(serve((socket) => socket.pipe(data()))).subscribe();
    await started(server);
    const path = 'abstract' in endpoint ? `\0${endpoint.abstract}` : endpoint.path;
    expect(server.address).toEqual({ path });
    const socket = connect(endpoint);
    expect(`${await lastValueFrom(of('hello').pipe(through(socket)))}`).toBe('hello');
    expect([socket.local, socket.remote]).toEqual([{ path: '' }, { path }]);
  });

  test('appear in messages as the system writes them', async () => {
    for (const endpoint of [{ abstract: unique }, { path: `\0${unique}` }, { path: `\0${unique}`.padEnd(108, '\0') }]) {
      const { error } = await record(connect(endpoint)).ended;
      expect(error).toMatchObject({
        code: 'ECONNREFUSED',
        message: expect.stringContaining(`connect to @${unique}: `),
      });
    }
  });

  test('fail with EADDRINUSE if they are in use', async () => {
    await started(listen({ abstract: unique }));
    const { error } = await record(listen({ abstract: unique })).ended;
    expect(error).toMatchObject({ name: 'SocketError', code: 'EADDRINUSE', phase: 'open' });
  });
});

test.each(['\\\\.\\pipe\\rxsock', `\\\\?\\pipe\\${'x'.repeat(240)}`])(
  'passes pipe names to Node unchanged: %s',
  async (path) => {
    pretendPlatform('win32');
    const dialled = vi.spyOn(net.Socket.prototype, 'connect').mockReturnThis();
    const listened = vi.spyOn(net.Server.prototype, 'listen').mockReturnThis();
    onTestFinished(() => void vi.restoreAllMocks());
    const socket = record(connect({ path }));
    expect(dialled).toHaveBeenCalledExactlyOnceWith({ path });
    socket.subscription.unsubscribe();
    listen({ path, mode: 0o660, removeStale: true }).subscribe().unsubscribe();
    expect(listened).toHaveBeenCalledExactlyOnceWith({ path, backlog: 511, exclusive: true });
  },
);
