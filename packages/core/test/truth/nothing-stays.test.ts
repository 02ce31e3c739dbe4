// After a thousand connections nothing is left: no handle, no timer, no descriptor, no listener.
import { setMaxListeners } from 'node:events';
import { readdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { connect, data, listen, on, serve, through } from '@rxsock/core';
import { catchError, EMPTY, firstValueFrom, from, lastValueFrom, mergeMap, of, range } from 'rxjs';
import { expect, test } from 'vitest';

const CYCLES = 1000;

interface Belongings {
  readonly resources: Record<string, number>;
  readonly descriptors: number | undefined;
}

function belongings(): Belongings {
  const resources: Record<string, number> = {};
  // Requests to the file system are the module loader's.
  const names = process.getActiveResourcesInfo().filter((name) => !/^(CloseReq|FSReq)/.test(name));
  for (const name of names) resources[name] = (resources[name] ?? 0) + 1;
  let descriptors: number | undefined;
  if (process.platform === 'linux') descriptors = readdirSync('/proc/self/fd').length;
  return { resources, descriptors };
}

const before = belongings();

/** Waits by turns of the event loop, for a timer would be one of the belongings. */
async function expectAsBefore(): Promise<void> {
  for (let turns = 0; turns < 20_000 && !isDeepStrictEqual(belongings(), before); turns++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(belongings()).toEqual(before);
}

test('a thousand requests, ended in every way, leave nothing behind', async () => {
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  let added = 0;
  const { addEventListener, removeEventListener } = abort.signal;
  Object.assign(abort.signal, {
    addEventListener: (...args: Parameters<AbortSignal['addEventListener']>) => {
      added++;
      addEventListener.apply(abort.signal, args);
    },
    removeEventListener: (...args: Parameters<AbortSignal['removeEventListener']>) => {
      added--;
      removeEventListener.apply(abort.signal, args);
    },
  });
  const server = listen();
  const serving = server.pipe(serve((socket) => socket)).subscribe();
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  const options = { host: '127.0.0.1', port: address.port, signal: abort.signal, idleTimeout: 60_000 };
  const cycle = async (index: number) => {
    const socket = connect(options);
    switch (index % 5) {
      case 0:
        expect(`${await lastValueFrom(of('hello').pipe(through(socket)))}`).toBe('hello');
        break;
      case 1:
        await socket.write('hello');
        socket.error();
        break;
      case 2:
        socket.next('hello');
        socket.subscribe().unsubscribe();
        break;
      case 3:
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
  await lastValueFrom(range(CYCLES).pipe(mergeMap((index) => from(cycle(index)), 20)));
  await server.close({ drain: 1000 });
  serving.unsubscribe();
  expect(server.sockets.size).toBe(0);
  expect(added).toBe(0);
  await expectAsBefore();
});

test('nor do a thousand connections that are refused', async () => {
  const server = listen();
  const watching = server.subscribe();
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  watching.unsubscribe();
  await server.close();
  const refused = () => connect({ host: '127.0.0.1', port: address.port }).pipe(catchError(() => EMPTY));
  await lastValueFrom(range(CYCLES).pipe(mergeMap(refused, 50)), { defaultValue: undefined });
  await expectAsBefore();
});
