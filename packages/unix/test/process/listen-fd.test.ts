// listen({ fd }): listening on a UNIX socket that was inherited, and what becomes of its file.
import fs from 'node:fs';
import net from 'node:net';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listen } from '@rxsock/unix';
import { describe, expect, onTestFinished, test } from 'vitest';
import { heir, said } from '../../../../tests/support/processes/index.js';
import { ask, place, plainServer, started } from '../../../../tests/support/unix-servers.js';

/** The descriptor of what Node has opened. */
const fdOf = (opened: net.Server | net.Socket) => (opened as unknown as { _handle: { fd: number } })._handle.fd;

const program = fileURLToPath(new URL('heir.mjs', import.meta.url));
const listens = (fd: number, options: object = {}) => heir([fd], options, program);

/** Closes the server of an heir. */
async function closed(child: ReturnType<typeof listens>): Promise<void> {
  child.send('close');
  expect(await said(child)).toBe('closed');
}

/**
 * A socket that only an heir has, with its file, as after a hand-over: the server that made it has closed, and bound it under
 * another name.
 */
async function inheritance(path: string, options: object = {}) {
  const server = await plainServer(`${path}~`);
  fs.linkSync(`${path}~`, path);
  const child = listens(fdOf(server), { path, ...options });
  const told = await said(child);
  await new Promise((resolve) => server.close(resolve));
  return { child, told };
}

describe('without path', () => {
  test('it listens where the socket was bound to, and says so', async () => {
    const { path } = place();
    const server = await plainServer(path);
    const child = listens(fdOf(server));
    expect(await said(child)).toEqual({ address: { path }, fd: 3 });
    fs.renameSync(path, `${path}.kept`);
    server.close();
    expect(await ask(`${path}.kept`)).toBe(`heir at ${path}`);
  });

  test('the file is left alone', async () => {
    const { folder, path } = place();
    const server = await plainServer(path);
    fs.linkSync(path, `${path}2`);
    const child = listens(fdOf(server));
    await said(child);
    await new Promise((resolve) => server.close(resolve)); // and takes away its own
    fs.renameSync(`${path}2`, path);
    await closed(child);
    expect(await ask(path)).toBe('ECONNREFUSED');
    expect(fs.readdirSync(folder)).toEqual(['s']);
  });

  test.each([
    ['abstract', { abstract: `rxsock ${process.pid}` }, `\0rxsock ${process.pid}`],
    ['the longest abstract', { abstract: `${process.pid}`.padEnd(107, 'x') }, `\0${process.pid}`.padEnd(108, 'x')],
  ])('an address is known by its %s name', async (_what, where, path) => {
    const server = listen(where);
    await started(server);
    const child = listens(server.fd as number);
    expect(await said(child)).toEqual({ address: { path }, fd: 3 });
  });

  test.each([
    ['of a server of this library, which has bound it under another', {}],
    ['where the system does not tell it', { lacksTable: true }],
  ])('the name is empty %s', async (_what, options) => {
    const { path } = place();
    const server = listen({ path });
    await started(server);
    const child = listens(server.fd as number, options);
    expect(await said(child)).toEqual({ address: { path: '' }, fd: 3 });
    await server.close();
  });
});

describe('with path', () => {
  test('it is the address, and goes with the server', async () => {
    const { folder, path } = place();
    const { child, told } = await inheritance(path);
    expect(told).toEqual({ address: { path }, fd: 3 });
    expect(await ask(path)).toBe(`heir at ${path}`);
    await closed(child);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('a relative one is found again from another working directory', async () => {
    const { folder, path } = place();
    const { child, told } = await inheritance(path, { folder, path: basename(path) });
    expect(told).toEqual({ address: { path: basename(path) }, fd: 3 });
    await closed(child);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('it stays as long as others listen on the socket', async () => {
    const { path } = place();
    const server = await plainServer(path, (peer) => peer.end('first'));
    const child = listens(fdOf(server), { path });
    await said(child);
    await closed(child);
    expect(await ask(path)).toBe('first');
  });

  test('it goes where the system does not tell who listens', async () => {
    const { folder, path } = place();
    const { child } = await inheritance(path, { lacksTable: true });
    await closed(child);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('what somebody else has put there since stays', async () => {
    const { path } = place();
    const { child } = await inheritance(path);
    fs.unlinkSync(path);
    await plainServer(path, (peer) => peer.end('the new one'));
    await closed(child);
    expect(await ask(path)).toBe('the new one');
  });

  test('so does what has only the number of its file: one is given away again', async () => {
    const { folder, path } = place();
    const { child } = await inheritance(path);
    fs.utimesSync(path, 1, 1); // as a file that was made at another time
    await closed(child);
    expect(fs.readdirSync(folder)).toEqual(['s']);
  });
});

test.each([
  ['the path, if there is one', false, (path: string) => path],
  ['the descriptor, if no more is known', true, () => 'descriptor 3'],
])('messages of an accepted socket name %s', async (_what, lacksTable, nameOf) => {
  const { path } = place();
  const server = await plainServer(path);
  const child = listens(fdOf(server), { aborts: true, lacksTable });
  await said(child);
  fs.linkSync(path, `${path}2`);
  server.close();
  const [told] = await Promise.all([said(child), ask(`${path}2`)]);
  expect(told).toEqual({ message: `The connection to ${nameOf(path)} was aborted from this side` });
});

describe('as a notification it is refused', () => {
  const refused = { name: 'SocketError', phase: 'open' };
  const no = 'Cannot listen on descriptor 3: it is no UNIX socket of a server, or is not open';

  test('a file', async () => {
    const fd = fs.openSync(import.meta.filename, 'r');
    onTestFinished(() => fs.closeSync(fd));
    expect(await said(listens(fd))).toMatchObject({ ...refused, code: 'EINVAL', message: no });
  });

  test('a descriptor that is not open', async () => {
    const child = heir([], { fd: 999 }, program);
    expect(await said(child)).toMatchObject({ ...refused, code: 'EINVAL', message: no.replace('3', '999') });
  });

  test('a connection', async () => {
    const { path } = place();
    await plainServer(path);
    const peer = net.connect({ path });
    onTestFinished(() => void peer.destroy());
    await new Promise((resolve) => peer.once('connect', resolve));
    expect(await said(listens(fdOf(peer)))).toMatchObject({ ...refused, code: 'EINVAL', message: no });
  });

  test('a server of TCP', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const message = 'Cannot listen on descriptor 3: it is a socket of TCP: listen of @rxsock/core takes it';
    expect(await said(listens(fdOf(server)))).toEqual({ ...refused, code: 'EINVAL', message, isOpen: false });
  });

  test.each([
    ['nothing', 'ENOENT', (_path: string) => {}, 'nothing is at PATH, where its file should be'],
    ['a file', 'ENOTSOCK', (path: string) => fs.writeFileSync(path, ''), 'PATH is no socket, and cannot be its file'],
    [
      'a link',
      'ENOTSOCK',
      (path: string) => fs.symlinkSync(path.replace(/s$/, 'real'), path),
      'PATH is no socket, and cannot be its file',
    ],
  ])('%s at path; the descriptor is closed', async (_what, code, put, why) => {
    const { folder, path } = place();
    const server = await plainServer(`${folder}/real`);
    put(path);
    const before = fs.readdirSync(folder);
    expect(await said(listens(fdOf(server), { path }))).toEqual({
      ...refused,
      code,
      local: { path },
      message: `Cannot listen on descriptor 3: ${why.replace('PATH', path)}`,
      isOpen: false,
    });
    expect(fs.readdirSync(folder)).toEqual(before);
  });
});

describe('at the call it is refused', () => {
  test.each([-1, 1.5, Number.NaN, '3', null, 2 ** 31])('%o, which is no descriptor', (fd) => {
    expect(() => listen({ fd: fd as number })).toThrow(RangeError);
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
