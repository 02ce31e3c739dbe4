// Where a socket is: what is refused at the call, and what abstract names and pipe names become.
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

/** As if on another system. */
function on(platform: NodeJS.Platform): void {
  const { platform: own } = process;
  Object.defineProperty(process, 'platform', { value: platform });
  onTestFinished(() => void Object.defineProperty(process, 'platform', { value: own }));
}

describe.each(both)('%s() refuses', (_name, open: (options: never) => unknown) => {
  test.each([
    ['nothing', {}, 'Pass one of path and abstract'],
    ['both', { path: '/a', abstract: 'a' }, 'Pass one of path and abstract'],
    ['an empty path', { path: '' }, 'path must be a string that is not empty'],
    ['an empty name', { abstract: '' }, 'abstract must be a string that is not empty'],
    ['a path that is no string', { path: 7 }, 'path must be a string'],
    ['a NUL inside a path', { path: '/tmp/a\0b' }, 'path must not hold a NUL'],
    ['a NUL at the end of a path', { path: '/tmp/a\0' }, 'path must not hold a NUL'],
    ['a NUL inside a name', { abstract: 'a\0b' }, 'abstract must not hold a NUL'],
  ])('%s', (_what, options, message) => {
    expect(() => open(options as never)).toThrow(TypeError);
    expect(() => open(options as never)).toThrow(message);
  });

  test.each([
    ['path', { path: `/${'x'.repeat(107)}` }, 'path must have at most 107 bytes, not 108'],
    ['path, in bytes', { path: `/${'é'.repeat(54)}` }, 'path must have at most 107 bytes, not 109'],
    ['name', { abstract: 'x'.repeat(108) }, 'abstract must have at most 107 bytes, not 108'],
    ["name in Node's way", { path: `\0${'x'.repeat(108)}` }, 'must have at most 108 bytes, not 109'],
  ])('too long a %s', (_what, options, message) => {
    expect(() => open(options as never)).toThrow(RangeError);
    expect(() => open(options as never)).toThrow(message);
  });

  test('a shorter path on other systems', () => {
    on('darwin');
    expect(() => open({ path: `/${'x'.repeat(103)}` } as never)).toThrow('path must have at most 103 bytes, not 104');
    expect(() => open({ abstract: 'x' } as never)).toThrow('Abstract names are on Linux only');
    expect(() => open({ path: '\0x' } as never)).toThrow('Abstract names are on Linux only');
  });
});

test.each(['mode', 'removeStale'])('listen() refuses %s for an abstract name', (option) => {
  for (const where of [{ abstract: 'x' }, { path: '\0x' }]) {
    expect(() => listen({ ...where, [option]: 1 } as never)).toThrow('An abstract name has no file');
  }
});

describe('abstract names', () => {
  const unique = `rxsock-test-${process.pid}`;
  const lengths = () => {
    const rows = readFileSync('/proc/net/unix', 'latin1').split('\n');
    return rows.filter((row) => row.includes(`@${unique}`)).map((row) => row.length - row.indexOf('@'));
  };

  test('are filled up with NULs, on every Node, and gone at the end', async () => {
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

  // Node 20 does so by itself.
  test.each([
    [{ abstract: 'x' }, `\0x${'\0'.repeat(106)}`],
    [{ abstract: 'é' }, `\0é${'\0'.repeat(105)}`],
    [{ path: '\0x' }, '\0x'],
  ] as const)('%o reaches Node as it is to be seen', (where, path) => {
    const dialled = vi.spyOn(net.Socket.prototype, 'connect').mockReturnThis();
    const listened = vi.spyOn(net.Server.prototype, 'listen').mockReturnThis();
    onTestFinished(() => void vi.restoreAllMocks());
    record(connect(where)).subscription.unsubscribe();
    record(listen(where)).subscription.unsubscribe();
    expect(dialled).toHaveBeenCalledExactlyOnceWith({ path });
    expect(listened).toHaveBeenCalledExactlyOnceWith({ path, backlog: 511, exclusive: true });
  });

  test.each([
    ['a name', { abstract: unique }],
    ['the longest name', { abstract: unique.padEnd(107, 'x') }],
    ["a name in Node's way", { path: `\0${unique}` }],
    ["the longest name in Node's way", { path: `\0${unique}`.padEnd(108, 'x') }],
  ] as const)('carry data: %s', async (_what, where) => {
    const server = listen(where);
    server.pipe(serve((socket) => socket.pipe(data()))).subscribe();
    await started(server);
    const path = 'abstract' in where ? `\0${where.abstract}` : where.path;
    expect(server.address).toEqual({ path });
    const socket = connect(where);
    expect(`${await lastValueFrom(of('hello').pipe(through(socket)))}`).toBe('hello');
    expect([socket.local, socket.remote]).toEqual([{ path: '' }, { path }]);
  });

  test('are in messages as the system writes them', async () => {
    for (const where of [{ abstract: unique }, { path: `\0${unique}` }, { path: `\0${unique}`.padEnd(108, '\0') }]) {
      const { error } = await record(connect(where)).ended;
      expect(error).toMatchObject({
        code: 'ECONNREFUSED',
        message: expect.stringContaining(`connect to @${unique}: `),
      });
    }
  });

  test('in use: EADDRINUSE', async () => {
    await started(listen({ abstract: unique }));
    const { error } = await record(listen({ abstract: unique })).ended;
    expect(error).toMatchObject({ name: 'SocketError', code: 'EADDRINUSE', phase: 'open' });
  });
});

test.each(['\\\\.\\pipe\\rxsock', `\\\\?\\pipe\\${'x'.repeat(240)}`])(
  'pipe names go to Node as they are: %s',
  async (path) => {
    on('win32');
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
