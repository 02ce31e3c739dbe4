// After a thousand connections nothing is left: no handle, no timer, no descriptor, no listener.
import { connect, data, listen, on, serve, through } from '@rxsock/core';
import { catchError, EMPTY, firstValueFrom, from, lastValueFrom, mergeMap, of, range } from 'rxjs';
import { expect, test } from 'vitest';
import { countingSignal, remembered } from '../../../../tests/support/belongings.js';

const CYCLES = 1000;

const expectAsBefore = remembered();

test('a thousand requests, ended in every way, leave nothing behind', async () => {
  const counted = countingSignal();
  const server = listen();
  const serving = server.pipe(serve((socket) => socket)).subscribe();
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  const options = { host: '127.0.0.1', port: address.port, signal: counted.signal, idleTimeout: 60_000 };
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
  expect(counted.listeners).toBe(0);
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
