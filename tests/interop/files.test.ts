// Files to and from programs: whole, or not at all.
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { connect, connections, data, listen, on, saveTo, sendFile } from '@rxsock/core';
import { first, firstValueFrom, lastValueFrom, mergeMap } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { socatListener } from '../support/listening-programs.js';
import { run } from '../support/program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const bytes = randomBytes(10_000_019);

/** Listens, and saves what the first connection sends. */
async function saving(file: string) {
  const server = listen();
  onTestFinished(() => server.close({ drain: 0 }));
  const saved = lastValueFrom(
    server.pipe(
      connections(),
      first(),
      mergeMap((socket) => socket.pipe(data(), saveTo(file))),
    ),
  );
  saved.catch(() => {});
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  return { port: address.port, saved };
}

test('sendFile() sends sha256sum the whole file, and then FIN', async () => {
  await using folder = await temporaryFolder();
  const file = path.join(folder.path, 'file');
  await writeFile(file, bytes);
  await using sum = await socatListener('', 'EXEC:sha256sum', '-u');

  const sent = await lastValueFrom(sendFile(connect({ host: '127.0.0.1', port: sum.port }), file));

  expect(sent).toEqual({ bytesSent: bytes.length, bytesTotal: bytes.length });
  expect(await sum.program.exited).toBe(0);
  expect(sum.program.stdout).toBe(`${createHash('sha256').update(bytes).digest('hex')}  -\n`);
});

test('saveTo() keeps everything that nc has sent, when its FIN has arrived', async () => {
  await using folder = await temporaryFolder();
  const file = path.join(folder.path, 'file');
  const { port, saved } = await saving(file);

  const nc = await run('nc', ['-N', '127.0.0.1', `${port}`], bytes);

  expect(await nc.exited).toBe(0);
  await saved;
  expect((await readFile(file)).equals(bytes)).toBe(true);
  expect(await readdir(folder.path)).toEqual(['file']);
});

test('saveTo() keeps nothing of what socat sent before it reset the connection', async () => {
  await using folder = await temporaryFolder();
  const { port, saved } = await saving(path.join(folder.path, 'file'));

  await run('socat', ['-u', '-', `TCP:127.0.0.1:${port},linger=0,shut-close`], bytes);

  await expect(saved).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(await readdir(folder.path)).toEqual([]);
});
