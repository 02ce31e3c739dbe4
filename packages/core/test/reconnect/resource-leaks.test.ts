// Hundreds of reconnecting sockets and pooled connections leave nothing behind: no handle, no timer, no descriptor, no
// listener.
import { connect, connectionPool, data, lines, listen, on, reconnect, serve } from '@rxsock/core';
import { firstValueFrom, lastValueFrom, take } from 'rxjs';
import { expect, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { countingSignal, snapshotResources } from '../../../../tests/support/resources.js';

const expectAsBefore = snapshotResources();

test('reconnecting sockets that end in every way, and a pool, leave nothing behind', async () => {
  const counted = countingSignal();
  const server = listen();
  const serving = server.pipe(serve((socket) => socket)).subscribe();
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  const dial = () => connect({ host: '127.0.0.1', port: address.port });

  for (let index = 0; index < 100; index++) {
    const reconnecting = reconnect(dial, { signal: counted.signal });
    const { subscription, ended } = record(reconnecting);
    if (index % 5 > 0) await reconnecting.write('hello');
    if (index % 5 === 1) reconnecting.complete();
    else if (index % 5 === 2) reconnecting.error();
    else if (index % 5 === 3) void reconnecting.close();
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
  expect(counted.listeners).toBe(0);
  await expectAsBefore();
});
