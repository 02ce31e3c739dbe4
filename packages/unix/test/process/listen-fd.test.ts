// listen({ fd }): listening on an inherited UNIX socket, and what becomes of its file.
import fs from 'node:fs';
import net from 'node:net';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listen } from '@rxsock/unix';
import { describe, expect, onTestFinished, test } from 'vitest';
import { nextMessage, startChild } from '../../../../tests/support/processes/index.js';
import { ask, plainServer, started, temporaryPath } from '../../../../tests/support/unix-servers.js';

/** The descriptor of a Node handle. */
const fdOf = (opened: net.Server | net.Socket) => (opened as unknown as { _handle: { fd: number } })._handle.fd;

const program = fileURLToPath(new URL('inherit-listener.mjs', import.meta.url));
const listens = (fd: number, options: object = {}) => startChild([fd], options, program);

/** Closes the server of a child process. */
async function closed(child: ReturnType<typeof listens>): Promise<void> {
  child.send('close');
  expect(await nextMessage(child)).toBe('closed');
}

/**
 * A socket that only a child process has, with its file, as after a hand-over. The server that made it was bound to
 * another name and has closed.
 */
async function inheritance(path: string, options: object = {}) {
  const server = await plainServer(`${path}~`);
  fs.linkSync(`${path}~`, path);
  const child = listens(fdOf(server), { path, ...options });
  const message = await nextMessage(child);
  await new Promise((resolve) => server.close(resolve));
  return { child, message };
}

describe('without path', () => {
  test('listens where the socket is bound, and reports that path', async () => {
    const { path } = temporaryPath();
    const server = await plainServer(path);
    const child = listens(fdOf(server));
    expect(await nextMessage(child)).toEqual({ address: { path }, fd: 3 });
    fs.renameSync(path, `${path}.kept`);
    server.close();
    expect(await ask(`${path}.kept`)).toBe(`child at ${path}`);
  });

  test('does not touch the file', async () => {
    const { folder, path } = temporaryPath();
    const server = await plainServer(path);
    fs.linkSync(path, `${path}2`);
    const child = listens(fdOf(server));
    await nextMessage(child);
    await new Promise((resolve) => server.close(resolve)); // and removes its own
    fs.renameSync(`${path}2`, path);
    await closed(child);
    expect(await ask(path)).toBe('ECONNREFUSED');
    expect(fs.readdirSync(folder)).toEqual(['s']);
  });

  test.each([
    ['abstract', { abstract: `rxsock ${process.pid}` }, `\0rxsock ${process.pid}`],
    ['the longest abstract', { abstract: `${process.pid}`.padEnd(107, 'x') }, `\0${process.pid}`.padEnd(108, 'x')],
  ])('an address is identified by its %s name', async (_what, endpoint, path) => {
    const server = listen(endpoint);
    await started(server);
    const child = listens(server.fd as number);
    expect(await nextMessage(child)).toEqual({ address: { path }, fd: 3 });
  });

  test.each([
    ['for a server of this library, which has bound it under another name', {}],
    ['where the system does not report it', { lacksTable: true }],
  ])('the name is empty %s', async (_what, options) => {
    const { path } = temporaryPath();
    const server = listen({ path });
    await started(server);
    const child = listens(server.fd as number, options);
    expect(await nextMessage(child)).toEqual({ address: { path: '' }, fd: 3 });
    await server.close();
  });
});

describe('with path', () => {
  test('the path is the address, and is removed with the server', async () => {
    const { folder, path } = temporaryPath();
    const { child, message } = await inheritance(path);
    expect(message).toEqual({ address: { path }, fd: 3 });
    expect(await ask(path)).toBe(`child at ${path}`);
    await closed(child);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('a relative path is found again from another working directory', async () => {
    const { folder, path } = temporaryPath();
    const { child, message } = await inheritance(path, { folder, path: basename(path) });
    expect(message).toEqual({ address: { path: basename(path) }, fd: 3 });
    await closed(child);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('the file stays as long as others listen on the socket', async () => {
    const { path } = temporaryPath();
    const server = await plainServer(path, (peer) => peer.end('first'));
    const child = listens(fdOf(server), { path });
    await nextMessage(child);
    await closed(child);
    expect(await ask(path)).toBe('first');
  });

  test('the file is removed if the system does not report who listens', async () => {
    const { folder, path } = temporaryPath();
    const { child } = await inheritance(path, { lacksTable: true });
    await closed(child);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('a newer file at the path stays', async () => {
    const { path } = temporaryPath();
    const { child } = await inheritance(path);
    fs.unlinkSync(path);
    await plainServer(path, (peer) => peer.end('the new one'));
    await closed(child);
    expect(await ask(path)).toBe('the new one');
  });

  test('a newer file with the same inode number stays: numbers are reused', async () => {
    const { folder, path } = temporaryPath();
    const { child } = await inheritance(path);
    fs.utimesSync(path, 1, 1); // as a file that was made at another time
    await closed(child);
    expect(fs.readdirSync(folder)).toEqual(['s']);
  });
});

test.each([
  ['with the path, if there is one', false, (path: string) => path],
  ['with the descriptor, if no more is known', true, () => 'descriptor 3'],
])('messages of an accepted socket name %s', async (_what, lacksTable, nameOf) => {
  const { path } = temporaryPath();
  const server = await plainServer(path);
  const child = listens(fdOf(server), { aborts: true, lacksTable });
  await nextMessage(child);
  fs.linkSync(path, `${path}2`);
  server.close();
  const [message] = await Promise.all([nextMessage(child), ask(`${path}2`)]);
  expect(message).toEqual({ message: `The connection to ${nameOf(path)} was aborted from this side` });
});

describe('fails with an error notification for', () => {
  const refused = { name: 'SocketError', phase: 'open' };
  const no = 'Cannot listen on descriptor 3: it is not a UNIX socket that can listen, or it is not open';

  test('a file', async () => {
    const fd = fs.openSync(import.meta.filename, 'r');
    onTestFinished(() => fs.closeSync(fd));
    expect(await nextMessage(listens(fd))).toMatchObject({ ...refused, code: 'EINVAL', message: no });
  });

  test('a descriptor that is not open', async () => {
    const child = startChild([], { fd: 999 }, program);
    expect(await nextMessage(child)).toMatchObject({ ...refused, code: 'EINVAL', message: no.replace('3', '999') });
  });

  test('a connection', async () => {
    const { path } = temporaryPath();
    await plainServer(path);
    const peer = net.connect({ path });
    onTestFinished(() => void peer.destroy());
    await new Promise((resolve) => peer.once('connect', resolve));
    expect(await nextMessage(listens(fdOf(peer)))).toMatchObject({ ...refused, code: 'EINVAL', message: no });
  });

  test('a server of TCP', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const message = 'Cannot listen on descriptor 3: it is a TCP socket: use listen() of @rxsock/core';
    expect(await nextMessage(listens(fdOf(server)))).toEqual({ ...refused, code: 'EINVAL', message, isOpen: false });
  });

  test.each([
    ['nothing', 'ENOENT', (_path: string) => {}, 'nothing is at PATH, where its file should be'],
    [
      'a file',
      'ENOTSOCK',
      (path: string) => fs.writeFileSync(path, ''),
      'PATH is not a socket, so it cannot be its file',
    ],
    [
      'a link',
      'ENOTSOCK',
      (path: string) => fs.symlinkSync(path.replace(/s$/, 'real'), path),
      'PATH is not a socket, so it cannot be its file',
    ],
  ])('%s at path, and the descriptor is closed', async (_what, code, put, why) => {
    const { folder, path } = temporaryPath();
    const server = await plainServer(`${folder}/real`);
    put(path);
    const before = fs.readdirSync(folder);
    expect(await nextMessage(listens(fdOf(server), { path }))).toEqual({
      ...refused,
      code,
      local: { path },
      message: `Cannot listen on descriptor 3: ${why.replace('PATH', path)}`,
      isOpen: false,
    });
    expect(fs.readdirSync(folder)).toEqual(before);
  });
});

describe('rejects at the call', () => {
  test.each([-1, 1.5, Number.NaN, '3', null, 2 ** 31])('%o as a descriptor', (fd) => {
    expect(() => listen({ fd: fd as number })).toThrow(typeof fd === 'number' ? RangeError : TypeError);
  });

  test.each([{ mode: 0o600 }, { removeStale: false }, { abstract: 'x' }])('%o beside it', (beside) => {
    // @ts-expect-error It has its name and its mode.
    expect(() => listen({ fd: 3, ...beside })).toThrow(TypeError);
  });

  test('an abstract name for its file', () => {
    expect(() => listen({ fd: 3, path: '\0x' })).toThrow('An abstract name has no file: leave path out');
  });

  test.each(['', 'x'.repeat(108)])('%j for its file', (path) => {
    expect(() => listen({ fd: 3, path })).toThrow(/^path must/);
  });
});
