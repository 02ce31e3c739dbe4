// inheritedListeners(): the descriptors that systemd's socket activation passes.
import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { listen } from '@rxsock/core';
import { inheritedListeners } from '@rxsock/core/process';
import { describe, expect, onTestFinished, test } from 'vitest';
import { killChild, listening, nextMessage, program, startChild } from '../../../../tests/support/processes/index.js';

/** What a process finds with this many descriptors and these variables. */
async function inherited(count: number, env: NodeJS.ProcessEnv, names?: readonly string[]): Promise<unknown> {
  const servers = await Promise.all(Array.from({ length: count }, () => listening(listen())));
  const fds = servers.map(({ fd }) => fd);
  return nextMessage(startChild(fds, { env: { LISTEN_PID: 'own', ...env }, names }));
}

test('finds what systemd passes, with the variables as systemd sets them', async () => {
  const { fd } = await listening(listen());
  const script = 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=echo.socket exec "$0" "$@"';
  const stdio = ['ignore', 'inherit', 'inherit', fd, 'ipc'] as const;
  const child = spawn('/bin/sh', ['-c', script, process.execPath, program('inherit-listener')], { stdio: [...stdio] });
  onTestFinished(() => killChild(child));
  expect(await nextMessage(child)).toEqual([{ fd: 3, name: 'echo.socket' }]);
});

test('finds several, with their names', async () => {
  const found = await inherited(3, { LISTEN_FDS: '3', LISTEN_FDNAMES: 'http::admin' });
  expect(found).toEqual([
    { fd: 3, name: 'http' },
    { fd: 4, name: '' },
    { fd: 5, name: 'admin' },
  ]);
});

test('names them unknown if there are no names', async () => {
  expect(await inherited(2, { LISTEN_FDS: '2' })).toEqual([
    { fd: 3, name: 'unknown' },
    { fd: 4, name: 'unknown' },
  ]);
});

describe('finds nothing', () => {
  test.each([
    ['without variables', {}],
    ['without a process', { LISTEN_FDS: '1' }],
    ['of another process', { LISTEN_FDS: '1', LISTEN_PID: String(process.ppid) }],
    ['without a number', { LISTEN_PID: String(process.pid) }],
    ['of 0', { LISTEN_FDS: '0', LISTEN_PID: String(process.pid), LISTEN_FDNAMES: '' }],
  ])('%s', (_name, env) => {
    expect(inheritedListeners({ env })).toEqual([]);
    expect(inheritedListeners({ env, names: ['http'] })).toEqual([]);
  });

  test('where none were passed, and leaves the variables as they are', () => {
    const before = { ...process.env };
    expect(inheritedListeners()).toEqual([]);
    expect(process.env).toEqual(before);
  });
});

describe('requested names', () => {
  test('return the listeners in the requested order', async () => {
    const found = await inherited(3, { LISTEN_FDS: '3', LISTEN_FDNAMES: 'a:b:a' }, ['b', 'a', 'a']);
    expect(found).toEqual([
      { fd: 4, name: 'b' },
      { fd: 3, name: 'a' },
      { fd: 5, name: 'a' },
    ]);
  });

  test.each([
    ['missing', ['a', 'c']],
    ['too many', ['a']],
    ['too few', ['a', 'b', 'b']],
  ])('throw if they do not match the inherited names: %s', async (_name, names) => {
    expect(await inherited(2, { LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b' }, names)).toEqual({
      name: 'InheritedListenersError',
      code: 'ERR_LISTEN_FDS_MISSING',
      message: `Descriptors named ${names.map((name) => `"${name}"`).join(', ')} were requested, but "a", "b" were inherited`,
    });
  });
});

describe('inconsistent variables', () => {
  test.each(['-1', '1.5', 'one', ' 1', '', '100000'])('LISTEN_FDS of %o is an error', (count) => {
    const env = { LISTEN_FDS: count, LISTEN_PID: String(process.pid) };
    const error = expect.objectContaining({ code: 'ERR_LISTEN_FDS_INVALID', phase: 'open' });
    expect(() => inheritedListeners({ env })).toThrow(error);
  });

  test('more names than descriptors is an error', () => {
    const env = { LISTEN_FDS: '1', LISTEN_FDNAMES: 'a:b', LISTEN_PID: String(process.pid) };
    expect(() => inheritedListeners({ env })).toThrow('LISTEN_FDS is 1, but LISTEN_FDNAMES has 2 names: a:b');
  });

  test('more descriptors than are open, or than are sockets, is an error', async () => {
    const invalid = { name: 'InheritedListenersError', code: 'ERR_LISTEN_FDS_INVALID' };
    const file = await open(import.meta.filename);
    onTestFinished(() => file.close());
    const { fd } = await listening(listen());
    const env = { LISTEN_PID: 'own', LISTEN_FDS: '2' };
    expect(await nextMessage(startChild([fd, file.fd], { env }))).toEqual({
      ...invalid,
      message: 'LISTEN_FDS is 2, but descriptor 4 is not an open socket',
    });
    expect(await inherited(1, { LISTEN_FDS: '99' })).toMatchObject(invalid);
  });
});
