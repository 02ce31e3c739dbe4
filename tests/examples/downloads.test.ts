// file-server and downloader: with each other, with nc, and with files that must not be served or must not be taken for
// whole.
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { run } from '../support/program.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { example } from './support.js';

const bytes = randomBytes(3_000_017);
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let shared: string;
let copy: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  shared = path.join(folder.path, 'shared');
  copy = path.join(folder.path, 'copy');
  await mkdir(path.join(shared, 'below'), { recursive: true });
  await writeFile(path.join(folder.path, 'secret'), 'a secret');
  await writeFile(path.join(shared, '.hidden'), 'a secret');
  await writeFile(path.join(shared, 'below', 'deep'), 'a secret');
  await writeFile(path.join(shared, 'großes Bild.iso'), bytes);
  await writeFile(path.join(shared, 'empty'), '');
});
afterEach(() => folder[Symbol.asyncDispose]());

test('fetches a whole file, whatever its bytes', async () => {
  await using server = example('file-server', shared);
  await using download = example('downloader', '127.0.0.1', await server.port(), 'großes Bild.iso', copy);

  expect(await download.exited).toBe(0);
  expect(download.stdout).toBe(`Saved ${copy}, ${bytes.length} bytes\n`);
  expect((await readFile(copy)).equals(bytes)).toBe(true);
  expect(await server.interrupt()).toBe(0);
  expect(server.stderr).toBe('');
});

test('fetches an empty file, in place of an old one', async () => {
  await writeFile(copy, 'old');
  await using server = example('file-server', shared);
  await using download = example('downloader', '127.0.0.1', await server.port(), 'empty', copy);

  expect(await download.exited).toBe(0);
  expect((await readFile(copy)).length).toBe(0);
});

test('serves files to nc, and nothing outside the folder', async () => {
  await symlink('below', path.join(shared, 'link'));
  await using server = example('file-server', shared);
  const port = String(await server.port());
  const ask = async (name: string) => (await run('nc', ['-N', '127.0.0.1', port], `${name}\n`)).bytes;

  expect((await ask('großes Bild.iso')).equals(Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes]))).toBe(true);
  for (const name of ['nothing', '', '.', '..', '.hidden', 'below', 'link', 'below/deep', '../secret', 'a\0b']) {
    expect((await ask(name)).toString()).toBe('There is no such file\n');
  }
  expect((await ask(path.join(folder.path, 'secret'))).toString()).toBe('There is no such file\n');
  expect(await server.interrupt()).toBe(0);
  expect(server.stderr).toBe('');
});

test("reports the server's message when there is no such file, and touches nothing", async () => {
  await writeFile(copy, 'old');
  await using server = example('file-server', shared);
  await using download = example('downloader', '127.0.0.1', await server.port(), 'nothing', copy);

  expect(await download.exited).toBe(1);
  expect(download.stderr).toBe('The server says: There is no such file\n');
  expect(await readFile(copy, 'utf8')).toBe('old');
});

/** A server that gives this answer to any request. */
async function answering(answer: (peer: net.Socket) => void): Promise<number> {
  const server = net.createServer((peer) => {
    peer.on('error', () => {});
    peer.once('data', () => answer(peer));
  });
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return (server.address() as net.AddressInfo).port;
}

test.each([
  ['an end too early', (peer: net.Socket) => peer.end('10\nfive!'), /^Expected 10 bytes, received 5\n$/],
  [
    'more than was announced',
    (peer: net.Socket) => peer.end('3\nfour'),
    /^Received more than the announced 3 bytes\n$/,
  ],
  ['more without end', (peer: net.Socket) => peer.write('3\nfour'), /^Received more than the announced 3 bytes\n$/],
  ['a reset', (peer: net.Socket) => peer.write('10\nfive!', () => peer.resetAndDestroy()), /^.* reset .*\n$/],
  ['no size', (peer: net.Socket) => peer.end('HTTP/1.0 400 Bad Request\r\n'), /^The server says: HTTP\/1\.0 400 .*\n$/],
  ['nothing', (peer: net.Socket) => peer.end(), /^The server ended the connection without an answer\n$/],
])('does not take %s for a file', async (_title, answer, expected) => {
  const port = await answering(answer);
  await using download = example('downloader', '127.0.0.1', port, 'file', copy);

  expect(await download.exited).toBe(1);
  expect(download.stderr).toMatch(expected);
  expect((await readdir(folder.path)).sort()).toEqual(['secret', 'shared']);
});

test('leaves nothing behind at Ctrl-C', async () => {
  const port = await answering((peer) => peer.write('10\nfive!'));
  await using download = example('downloader', '127.0.0.1', port, 'file', copy);
  await expect.poll(() => readdir(folder.path)).toHaveLength(3);

  expect(await download.interrupt()).toBe(0);
  expect(download.stdout).toBe(`Stopped: ${copy} was not saved\n`);
  expect(download.stderr).toBe('');
  expect((await readdir(folder.path)).sort()).toEqual(['secret', 'shared']);
});
