// What is published about reconnecting sockets and pools, and the lists of them, which keep nothing alive.
import { connect, connectionPool, type PoolError, type ReconnectingSocket, reconnect } from '@rxsock/core';
import { type ChannelMessages, type ChannelName, channel } from '@rxsock/core/diagnostics';
import { livePools, liveReconnects } from '@rxsock/core/internal';
import { firstValueFrom, map } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { garbageCollected } from '../../../../tests/support/garbage.js';
import { rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { acquire, poolOf } from '../support/pools.js';
import { reconnectingTo, recordEvents } from '../support/reconnecting.js';

/** Records a channel until the test is over. */
function published<N extends ChannelName>(name: N): ChannelMessages[N][] {
  const messages: ChannelMessages[N][] = [];
  const subscription = channel(name).subscribe((message) => messages.push(message));
  onTestFinished(() => subscription.unsubscribe());
  return messages;
}

const listed = (owner: object) => [...liveReconnects].find((each) => each.owner === owner);

test('each attempt that follows is published with its number, its delay and the error before, and the end', async () => {
  const retries = published('rxsock:reconnect:retry');
  const closes = published('rxsock:reconnect:close');
  const server = await rawServer();
  const { reconnecting, clock } = reconnectingTo(server.port, { maxRetries: 2 });
  const recording = recordEvents({ reconnecting, clock });
  const peer = await server.next();
  await expect.poll(() => reconnecting.readyState).toBe('open');
  expect(listed(reconnecting)).toMatchObject({ state: 'open', retries: 0, lastEnd: undefined });
  peer.resetAndDestroy();
  server.close();
  await expect.poll(() => retries).toHaveLength(1);
  clock.tick(100);
  await expect.poll(() => retries).toHaveLength(2);
  expect(retries).toMatchObject([
    { socket: reconnecting, attempt: 1, delay: 100, error: { code: 'ECONNRESET' } },
    { socket: reconnecting, attempt: 2, delay: 200, error: { code: 'ECONNREFUSED' } },
  ]);
  expect(listed(reconnecting)).toMatchObject({
    state: 'waiting',
    target: `127.0.0.1:${server.port}`,
    retries: 2,
    retryAt: clock.now() + 200,
    lastEnd: { at: clock.now(), report: { how: 'error' }, error: { code: 'ECONNREFUSED' } },
  });
  clock.tick(200);
  await recording.ended;
  expect(closes).toMatchObject([{ socket: reconnecting, error: { code: 'ERR_RECONNECT_EXHAUSTED' } }]);
  expect(listed(reconnecting)).toBeUndefined();
});

test('a subscriber of the channel may end the reconnecting socket, whose subscribers then receive no retry', async () => {
  const server = await rawServer();
  server.close();
  const { reconnecting, clock } = reconnectingTo(server.port);
  const closing = channel('rxsock:reconnect:retry').subscribe(({ socket }) => socket.error('enough'));
  onTestFinished(() => closing.unsubscribe());
  const { ended, eventTypes } = recordEvents({ reconnecting, clock });
  expect(await ended).toMatchObject({ error: { code: 'ERR_SOCKET_ABORTED' } });
  expect(eventTypes()).toEqual(['disconnect', 'error:ERR_SOCKET_ABORTED']);
});

test('a reconnecting socket that was closed without an error is published without one, also if it never dialled', async () => {
  const closes = published('rxsock:reconnect:close');
  const reconnecting = reconnect(() => connect({ port: 1 }));
  expect(listed(reconnecting)).toMatchObject({ state: 'idle', target: 'localhost:1', socket: undefined });
  await reconnecting.close();
  expect(closes).toEqual([{ socket: reconnecting, error: undefined }]);
});

test('each acquire() that fails is published: a refused dial, a wait that is too long, a full or closed pool', async () => {
  const errors = published('rxsock:pool:error');
  const server = await rawServer();
  const { pool, clock } = poolOf(server.port, { max: 1, maxWaiting: 1, acquireTimeout: 1_000 });
  const first = await acquire(pool);
  const waiting = record(pool.acquire());
  const tooMany = record(pool.acquire());
  clock.tick(1_000);
  await Promise.all([waiting.ended, tooMany.ended]);
  server.close();
  first.socket.error();
  first.release();
  await expect.poll(() => pool.size).toBe(0);
  await record(pool.acquire()).ended;
  const [listedPool] = [...livePools].filter(({ owner }) => owner === pool);
  expect(listedPool).toMatchObject({
    target: `127.0.0.1:${server.port}`,
    max: 1,
    closed: false,
    lastFailure: { at: clock.now(), error: { code: 'ECONNREFUSED' } },
  });
  await pool.close();
  const afterClose = record(pool.acquire());
  clock.tick(0);
  await afterClose.ended;
  expect(errors.map(({ error }) => (error as PoolError).code)).toEqual([
    'ERR_POOL_FULL',
    'ERR_POOL_TIMEOUT',
    'ECONNREFUSED',
    'ERR_POOL_CLOSED',
  ]);
  expect(new Set(errors.map((message) => message.pool))).toEqual(new Set([pool]));
  expect([...livePools].some(({ owner }) => owner === pool)).toBe(false);
});

test('the lists keep nothing alive that is not used', async () => {
  const idle = new WeakRef(reconnect(() => connect({ port: 1 })));
  const pool = new WeakRef(connectionPool(() => connect({ port: 1 })));
  expect(await garbageCollected(idle)).toBe(true);
  expect(await garbageCollected(pool)).toBe(true);
  await expect
    .poll(() => [...liveReconnects, ...livePools].filter(({ target }) => target === 'localhost:1'))
    .toEqual([]);
});

test('a reconnecting socket that goes on is listed, although the program refers to it no more', async () => {
  const server = await rawServer();
  server.close();
  const retries = channel('rxsock:reconnect:retry');
  const scheduled = firstValueFrom(retries.pipe(map(({ attempt }) => attempt)));
  reconnect(() => connect({ host: '127.0.0.1', port: server.port })).subscribe({ error: () => {} });
  expect(await scheduled).toBe(1);
  await garbageCollected(new WeakRef({}));
  const [found] = [...liveReconnects].filter(({ target }) => target === `127.0.0.1:${server.port}`);
  expect(found!.state).toBe('waiting');
  (found!.owner as ReconnectingSocket).error();
});
