// A thousand connections and a hundred servers leave nothing behind: no handle, no timer, no descriptor, no file.
import fs from 'node:fs';
import { on, serve } from '@rxsock/core';
import { connect, listen } from '@rxsock/unix';
import { catchError, EMPTY, firstValueFrom, from, lastValueFrom, mergeMap, range } from 'rxjs';
import { expect, test } from 'vitest';
import { useAndEnd } from '../../../../tests/support/ended-sockets.js';
import { snapshotResources } from '../../../../tests/support/resources.js';
import { leaveStale, temporaryPath } from '../../../../tests/support/unix-servers.js';

const expectAsBefore = snapshotResources();

test('a thousand connections, ended in every way, leave nothing behind', async () => {
  const { folder, path } = temporaryPath();
  const server = listen({ path });
  const serving = server.pipe(serve((socket) => socket)).subscribe();
  await firstValueFrom(server.pipe(on('listening')));
  const cycle = (index: number) => useAndEnd(connect({ path, idleTimeout: 60_000 }), index);
  await lastValueFrom(range(1000).pipe(mergeMap((index) => from(cycle(index)), 20)));
  await server.close({ drain: 1000 });
  serving.unsubscribe();
  expect(server.sockets.size).toBe(0);
  expect(fs.readdirSync(folder)).toEqual([]);
  await expectAsBefore();
});

test('a thousand refused connections leave nothing behind', async () => {
  const { path } = temporaryPath();
  const refused = () => connect({ path }).pipe(catchError(() => EMPTY));
  await lastValueFrom(range(1000).pipe(mergeMap(refused, 50)), { defaultValue: undefined });
  await expectAsBefore();
});

test('a hundred servers, three of four of which cannot listen, leave nothing behind', async () => {
  const { folder, path } = temporaryPath();
  await leaveStale(path);
  fs.writeFileSync(`${folder}/file`, '');
  for (let round = 0; round < 25; round++) {
    for (const taken of [path, `${folder}/file`, `${folder}/none/s`]) {
      await expect(lastValueFrom(listen({ path: taken }))).rejects.toThrow('Cannot listen on');
    }
    const server = listen({ path, removeStale: true });
    const listening = firstValueFrom(server.pipe(on('listening')));
    await listening;
    await server.close();
    await leaveStale(path);
  }
  expect(fs.readdirSync(folder).sort()).toEqual(['file', 's']);
  await expectAsBefore();
});
