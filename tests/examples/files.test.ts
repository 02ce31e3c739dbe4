// send-file and receive-file: whole files, cut transfers, and resuming.
import { createHash, randomBytes } from 'node:crypto';
import { truncate } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connections, data, listen, on } from '@rxsock/core';
import { faultyProxy } from '@rxsock/core/testing';
import { firstValueFrom, ignoreElements, lastValueFrom, take } from 'rxjs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { rawServer } from '../support/raw-peers.js';
import { Client, example } from './support.js';

const bytes = randomBytes(3_000_017);
const announcement = `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}\n`;
let folder: string;
let original: string;
let copy: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'rxsock-files-'));
  original = path.join(folder, 'original');
  copy = path.join(folder, 'copy');
  await writeFile(original, bytes);
});
afterEach(() => rm(folder, { recursive: true }));

/** The sizes of all files in the folder. */
async function sizes(): Promise<number[]> {
  const stats = await Promise.all((await readdir(folder)).map((name) => stat(path.join(folder, name))));
  return stats.map(({ size }) => size);
}

async function expectCopy(): Promise<void> {
  expect((await readFile(copy)).equals(bytes)).toBe(true);
  expect((await readdir(folder)).sort()).toEqual(['copy', 'original']);
}

test('sends a whole file', async () => {
  await using receiver = example('receive-file', copy);
  await using sender = example('send-file', '127.0.0.1', await receiver.port(), original);

  expect(await sender.exited).toBe(0);
  expect(sender.stdout).toBe(`Sent ${bytes.length} of ${bytes.length} bytes\n`);
  expect(await receiver.exited).toBe(0);
  expect(receiver.stdout).toContain(`Received ${copy}, ${bytes.length} bytes\n`);
  await expectCopy();
});

test('sends an empty file', async () => {
  await writeFile(original, '');
  await using receiver = example('receive-file', copy);
  await using sender = example('send-file', '127.0.0.1', await receiver.port(), original);

  expect(await sender.exited).toBe(0);
  expect(await receiver.exited).toBe(0);
  expect((await readFile(copy)).length).toBe(0);
});

test.each([
  ['a reset', (client: Client) => client.socket.resetAndDestroy(), /reset the connection/],
  ['a FIN before the end', (client: Client) => client.socket.end(), /^Received only 1000000 of 3000017 bytes\n/],
])('resumes after %s, even if the receiver was started again', async (_title, cut, expected) => {
  await using receiver = example('receive-file', copy);
  using first = new Client(await receiver.port());
  first.socket.write(announcement);
  await first.heard('0\n');
  first.socket.write(bytes.subarray(0, 1_000_000));
  await vi.waitFor(async () => expect(await sizes()).toContain(1_000_000), { timeout: 10_000 });
  cut(first);
  await receiver.printed(/Send it again to resume at byte 1000000\n/, 'stderr');
  expect(receiver.stderr).toMatch(expected);
  expect(await receiver.interrupt()).toBe(0);
  expect(await readdir(folder)).not.toContain('copy');

  await using second = example('receive-file', copy);
  await using sender = example('send-file', '127.0.0.1', await second.port(), original);

  expect(await sender.exited).toBe(0);
  expect(sender.stdout).toBe(`Sent 2000017 of 3000017 bytes\n`);
  expect(await second.exited).toBe(0);
  await expectCopy();
});

test('leaves nothing behind when it is stopped before anything has arrived', async () => {
  await using receiver = example('receive-file', '--drain', 0, copy);
  using stranger = new Client(await receiver.port());
  stranger.socket.write(announcement);
  await stranger.heard('0\n');

  expect(await receiver.interrupt()).toBe(0);
  expect(receiver.stderr).toMatch(/^The connection .* was aborted .*\nSend it again to resume at byte 0\n$/);
  expect(await readdir(folder)).toEqual(['original']);
});

test.each([
  ['says nothing', ''],
  ['does not say which file it has', 'GET / HTTP/1.0\r\n\r\n'],
  ['sends more than it announced', `3 ${'0'.repeat(64)}\nfour`],
])('waits for the next sender after one that %s', async (_title, input) => {
  await using receiver = example('receive-file', copy);
  const port = await receiver.port();
  using stranger = new Client(port);
  stranger.socket.end(input);
  await receiver.printed(/Send it again to resume at byte \d\n/, 'stderr');

  await using sender = example('send-file', '127.0.0.1', port, original);

  expect(await sender.exited).toBe(0);
  await expectCopy();
});

test('survives a connection that is cut again and again', async () => {
  await using receiver = example('receive-file', copy);
  const faults = { direction: 'toTarget', resetPeer: { bytes: 1_000_000 } } as const;
  await using proxy = await faultyProxy({ target: { port: await receiver.port() }, ...faults });
  await using sender = example('send-file', '127.0.0.1', proxy.port, original);

  expect(await sender.exited).toBe(0);
  expect(sender.stderr).toMatch(/^(.*: connecting again\n){3,}$/);
  expect(await receiver.exited).toBe(0);
  await expectCopy();
});

test.each([
  ['changes', bytes.subarray(0, 1_000_000)],
  ['is replaced by a shorter one', randomBytes(bytes.length + 1)],
])('begins again if the file %s between two connections', async (_title, received) => {
  await using receiver = example('receive-file', copy);
  const port = await receiver.port();
  using first = new Client(port);
  first.socket.write(`${received.length} ${'0'.repeat(64)}\n`);
  await first.heard('0\n');
  first.socket.write(received.subarray(0, -1));
  await vi.waitFor(async () => expect(await sizes()).toContain(received.length - 1), { timeout: 10_000 });
  first.socket.resetAndDestroy();
  await receiver.printed(/Send it again/, 'stderr');
  if (received.length < bytes.length) await writeFile(original, randomBytes(bytes.length));
  const content = await readFile(original);

  await using sender = example('send-file', '127.0.0.1', port, original);

  expect(await sender.exited).toBe(0);
  expect(await receiver.exited).toBe(0);
  expect(receiver.stderr).toMatch(/The file has changed since .*\nSend it again to resume at byte 0\n$/);
  expect((await readFile(copy)).equals(content)).toBe(true);
});

test('resets at Ctrl-C, so that the receiver does not take a part for the whole', async () => {
  const server = listen();
  const accepted = firstValueFrom(server.pipe(connections()));
  const open = server.subscribe();
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  await writeFile(original, Buffer.alloc(50_000_000));
  await using sender = example('send-file', '127.0.0.1', address.port, original);
  const socket = await accepted;
  socket.next('0\n');
  // It reads the announcement and a bit of the file, and then no more, so that the sender cannot finish.
  const received = socket.pipe(data());
  const watch = socket.pipe(on('drain')).subscribe();
  await firstValueFrom(received.pipe(take(3), ignoreElements()), { defaultValue: undefined });

  expect(await sender.interrupt()).toBe(0);
  expect(sender.stdout).toBe('Stopped: run the same command again to send the rest\n');
  expect(sender.stderr).toBe('');
  await expect(lastValueFrom(received)).rejects.toMatchObject({ code: 'ECONNRESET' });
  watch.unsubscribe();
  open.unsubscribe();
  await server.close();
});

test('ends at Ctrl-C before it has read a large file for its hash', async () => {
  const server = await rawServer((peer) => {
    peer.resume().once('data', () => truncate(original, 2 ** 36, () => peer.resetAndDestroy()));
  });
  await using sender = example('send-file', '127.0.0.1', server.port, original);
  await sender.printed(/: connecting again\n/, 'stderr');

  expect(await sender.interrupt()).toBe(0);
  expect(sender.stdout).toBe('Stopped: run the same command again to send the rest\n');
});

test.each(['', '-5', '1.5', '0x1'])('does not take %j for a part of the file', async (answer) => {
  const server = await rawServer((peer) => peer.resume().end(`${answer}\n`));
  await using sender = example('send-file', '127.0.0.1', server.port, original, '--retries', 0);

  expect(await sender.exited).toBe(1);
  expect(sender.stderr).toBe('The receiver did not say how much of the file it has\n');
});

test('sends only regular files', async () => {
  await using sender = example('send-file', '127.0.0.1', 9, '/dev/zero');

  expect(await sender.exited).toBe(1);
  expect(sender.stderr).toBe('/dev/zero is not a regular file\n');
});

test('reports in one line that there is no such file or folder', async () => {
  await using sender = example('send-file', '127.0.0.1', 9, path.join(folder, 'nothing'));
  expect(await sender.exited).toBe(1);
  expect(sender.stderr).toMatch(/^ENOENT: .*nothing'\n$/);

  await using receiver = example('receive-file', path.join(folder, 'no', 'folder'));
  expect(await receiver.exited).toBe(1);
  expect(receiver.stderr).toMatch(/^ENOENT: .*no'\n$/);
});
