// After a thousand connections and a hundred servers nothing is left: no handle, no timer, no descriptor, no file.
import fs from 'node:fs';
import { data, on, serve, through } from '@rxsock/core';
import { connect, listen } from '@rxsock/unix';
import { catchError, EMPTY, firstValueFrom, from, lastValueFrom, mergeMap, of, range } from 'rxjs';
import { expect, test } from 'vitest';
import { remembered } from '../../../../tests/support/belongings.js';
import { leaveStale, place } from '../../../../tests/support/unix-servers.js';

const expectAsBefore = remembered();

test('a thousand connections, ended in every way', async () => {
  const { folder, path } = place();
  const server = listen({ path });
  const serving = server.pipe(serve((socket) => socket)).subscribe();
  await firstValueFrom(server.pipe(on('listening')));
  const cycle = async (index: number) => {
    const socket = connect({ path, idleTimeout: 60_000 });
    switch (index % 4) {
      case 0:
        expect(`${await lastValueFrom(of('hello').pipe(through(socket)))}`).toBe('hello');
        break;
      case 1:
        await socket.write('hello');
        socket.error();
        break;
      case 2:
        socket.subscribe({ error: () => {} }).unsubscribe();
        break;
      default: {
        const first = firstValueFrom(socket.pipe(data()));
        socket.next('hello');
        await first;
      }
    }
    await socket.close();
  };
  await lastValueFrom(range(1000).pipe(mergeMap((index) => from(cycle(index)), 20)));
  await server.close({ drain: 1000 });
  serving.unsubscribe();
  expect(server.sockets.size).toBe(0);
  expect(fs.readdirSync(folder)).toEqual([]);
  await expectAsBefore();
});

test('a thousand connections that are refused', async () => {
  const { path } = place();
  const refused = () => connect({ path }).pipe(catchError(() => EMPTY));
  await lastValueFrom(range(1000).pipe(mergeMap(refused, 50)), { defaultValue: undefined });
  await expectAsBefore();
});

test('a hundred servers, three in four of which cannot listen', async () => {
  const { folder, path } = place();
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
