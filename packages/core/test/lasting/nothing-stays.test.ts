// After hundreds of links and loans nothing is left: no handle, no timer, no descriptor, no listener.
import { readdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { connect, connectionPool, data, lines, listen, on, reconnect, serve } from '@rxsock/core';
import { firstValueFrom, lastValueFrom, take } from 'rxjs';
import { expect, test } from 'vitest';
import { record } from '../support/record.js';

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

test('links that end in every way, and a pool, leave nothing behind', async () => {
  const abort = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = abort.signal;
  Object.assign(abort.signal, {
    addEventListener: (...args: Parameters<AbortSignal['addEventListener']>) => {
      listeners++;
      addEventListener.apply(abort.signal, args);
    },
    removeEventListener: (...args: Parameters<AbortSignal['removeEventListener']>) => {
      listeners--;
      removeEventListener.apply(abort.signal, args);
    },
  });
  const server = listen();
  const serving = server.pipe(serve((socket) => socket)).subscribe();
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  const dial = () => connect({ host: '127.0.0.1', port: address.port });

  for (let index = 0; index < 100; index++) {
    const link = reconnect(dial, { signal: abort.signal });
    const { subscription, ended } = record(link);
    if (index % 5 > 0) await link.write('hello');
    if (index % 5 === 1) link.complete();
    else if (index % 5 === 2) link.error();
    else if (index % 5 === 3) void link.close();
    else subscription.unsubscribe();
    if (!subscription.closed) await ended;
  }
  const lookup = (_host: string, _options: object, found: (error: Error, address: string) => void) =>
    found(new Error('not found'), '');
  const nowhere = () => connect({ host: 'nowhere.example', port: address.port, lookup });
  const down = reconnect(nowhere, { backoff: { initial: 1e6, max: 1e6 } });
  const retrying = record(down);
  await expect.poll(() => retrying.log, { interval: 1 }).toContain('retry');
  retrying.subscription.unsubscribe();

  const pool = connectionPool(dial, { max: 3, validate: async () => true });
  const echo = (text: string) =>
    pool.use((socket) => {
      socket.next(`${text}\n`);
      return socket.pipe(data(), lines(), take(1));
    });
  const texts = Array.from({ length: 100 }, (_, index) => String(index));
  expect(await Promise.all(texts.map((text) => lastValueFrom(echo(text))))).toEqual(texts);
  await pool.close();
  await server.close();
  serving.unsubscribe();
  expect(listeners).toBe(0);
  await expectAsBefore();
});
