// A thousand connections leave nothing behind: no handle, no timer, no descriptor, no listener.
import { getEventListeners } from 'node:events';
import { connect, listen, on, serve } from '@rxsock/core';
import { catchError, EMPTY, firstValueFrom, from, lastValueFrom, mergeMap, range } from 'rxjs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { useAndEnd } from '../../../../tests/support/ended-sockets.js';
import { opened, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
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

test('one signal for 300 sockets causes no warning, aborts them all, and keeps no listener', async () => {
  const warned = vi.fn();
  process.on('warning', warned);
  onTestFinished(() => void process.off('warning', warned));
  const server = await rawServer();
  const controller = new AbortController();
  const { signal } = controller;
  const sockets = Array.from({ length: 300 }, () => connect({ host: '127.0.0.1', port: server.port, signal }));
  const recordings = sockets.map((socket) => record(socket));
  await Promise.all(sockets.map(opened));
  expect(warned).not.toHaveBeenCalled();
  controller.abort();
  for (const { ended } of recordings) expect((await ended).error).toMatchObject({ name: 'AbortedError' });
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
