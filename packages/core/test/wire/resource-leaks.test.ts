// A thousand connections leave nothing behind: no handle, no timer, no descriptor, no listener.
import { connect, listen, on, serve } from '@rxsock/core';
import { catchError, EMPTY, firstValueFrom, from, lastValueFrom, mergeMap, range } from 'rxjs';
import { expect, test } from 'vitest';
import { useAndEnd } from '../../../../tests/support/ended-sockets.js';
import { countingSignal, snapshotResources } from '../../../../tests/support/resources.js';

const CYCLES = 1000;

const expectAsBefore = snapshotResources();

test('a thousand requests, ended in every way, leave nothing behind', async () => {
  const counted = countingSignal();
  const server = listen();
  const serving = server.pipe(serve((socket) => socket)).subscribe();
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  const options = { host: '127.0.0.1', port: address.port, signal: counted.signal, idleTimeout: 60_000 };
  const cycle = (index: number) => useAndEnd(connect(options), index);
  await lastValueFrom(range(CYCLES).pipe(mergeMap((index) => from(cycle(index)), 20)));
  await server.close({ drain: 1000 });
  serving.unsubscribe();
  expect(server.sockets.size).toBe(0);
  expect(counted.listeners).toBe(0);
  await expectAsBefore();
});

test('a thousand refused connections leave nothing behind', async () => {
  const server = listen();
  const watching = server.subscribe();
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  watching.unsubscribe();
  await server.close();
  const refused = () => connect({ host: '127.0.0.1', port: address.port }).pipe(catchError(() => EMPTY));
  await lastValueFrom(range(CYCLES).pipe(mergeMap(refused, 50)), { defaultValue: undefined });
  await expectAsBefore();
});
