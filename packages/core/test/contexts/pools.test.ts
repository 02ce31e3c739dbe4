// A pooled connection calls its present user in the AsyncLocalStorage context of that user. The pool's own work runs in
// the context of the code that made the pool.
import { type ConnectionPool, connect, connectionPool, data, lines, type Socket } from '@rxsock/core';
import { lastValueFrom, take, tap } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { as, currentUser, watchAs } from '../../../../tests/support/contexts.js';
import { rawServer } from '../../../../tests/support/raw-peers.js';
import { turns } from '../../../../tests/support/turns.js';
import { poolOf } from '../support/pools.js';

/** A server that sends back what it receives. */
const echoing = () => rawServer((peer) => peer.pipe(peer));

/** One exchange as a user. Resolves to the users in whose contexts it ran. */
async function exchangeAs(user: string, pool: ConnectionPool): Promise<Set<string>> {
  const users = new Set<string>();
  const note = () => void users.add(currentUser());
  const exchange = pool.use((socket) => {
    note();
    socket.next(`${user}\n`);
    return socket.pipe(data(), lines(), tap(note), take(1), tap({ complete: note, finalize: note }));
  });
  await as(user, async () => {
    expect(await lastValueFrom(exchange.pipe(tap({ next: note, complete: note })))).toBe(user);
    note();
  });
  return users;
}

test('500 exchanges of two tenants over one connection each run in the context of their tenant', async () => {
  const server = await echoing();
  const { pool } = poolOf(server.port, { max: 1, maxWaiting: 10 });
  for (let round = 0; round < 250; round++) {
    const [one, two] = await Promise.all([exchangeAs('tenant 1', pool), exchangeAs('tenant 2', pool)]);
    expect([one, two]).toEqual([new Set(['tenant 1']), new Set(['tenant 2'])]);
  }
  expect(server.peers).toHaveLength(1);
});

test('acquire() emits in the context of the user who waited, not of the one who releases', async () => {
  const server = await echoing();
  const { pool } = poolOf(server.port, { max: 1 });
  const first = watchAs('first', pool.acquire());
  const second = watchAs('second', pool.acquire());
  await expect.poll(() => first.values).toHaveLength(1);
  as('other', () => first.subscription.unsubscribe());
  await expect.poll(() => second.values).toHaveLength(1);
  expect(second.users).toEqual(new Set(['second']));
});

test('acquire() fails each user who waits in that context: after acquireTimeout, and when the pool closes', async () => {
  const server = await echoing();
  const { pool, clock } = poolOf(server.port, { max: 1, acquireTimeout: 100 });
  const holder = watchAs('holder', pool.acquire());
  await expect.poll(() => holder.values).toHaveLength(1);
  const late = watchAs('late', pool.acquire());
  as('other', () => clock.tick(100));
  const waiting = watchAs('waiting', pool.acquire());
  const closing = as('closer', () => pool.close({ drain: 0 }));
  expect([late.log, waiting.log]).toEqual([['error:ERR_POOL_TIMEOUT'], ['error:ERR_POOL_CLOSED']]);
  expect([late.users, waiting.users]).toEqual([new Set(['late']), new Set(['waiting'])]);
  await closing;
});

test('a failed dial fails the user who waits in that context', async () => {
  const server = await rawServer();
  server.close();
  const { pool } = poolOf(server.port, { max: 1 });
  const first = watchAs('first', pool.acquire());
  const second = watchAs('second', pool.acquire());
  await Promise.all([first.ended, second.ended]);
  expect([first.log, second.log]).toEqual([['error:ECONNREFUSED'], ['error:ECONNREFUSED']]);
  expect([first.users, second.users]).toEqual([new Set(['first']), new Set(['second'])]);
});

test('an exchange fails in the context of its user when another user closes the pool', async () => {
  const server = await echoing();
  const { pool } = poolOf(server.port, { max: 1 });
  // The connection was dialled for another user.
  await exchangeAs('dialler', pool);
  const exchange = watchAs(
    'user',
    pool.use((socket) => socket.pipe(data())),
  );
  await turns();
  await as('closer', () => pool.close({ drain: 0 }));
  expect((await exchange.ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
  expect(exchange.users).toEqual(new Set(['user']));
});

test('validate is called in the context of the user who waits for the connection', async () => {
  const server = await echoing();
  const users: string[] = [];
  const validate = () => {
    users.push(currentUser());
    return true;
  };
  const { pool } = poolOf(server.port, { max: 1, validate });
  const first = watchAs('first', pool.acquire());
  await expect.poll(() => first.values).toHaveLength(1);
  const second = watchAs('second', pool.acquire());
  as('other', () => first.subscription.unsubscribe());
  await expect.poll(() => second.values).toHaveLength(1);
  second.subscription.unsubscribe();
  await turns();
  const third = watchAs('third', pool.acquire());
  await expect.poll(() => third.values).toHaveLength(1);
  expect(users).toEqual(['second', 'third']);
});

test('the factory is called in the context of the code that made the pool', async () => {
  const server = await echoing();
  const users: string[] = [];
  const make = (): Socket => {
    users.push(currentUser());
    return connect({ host: '127.0.0.1', port: server.port });
  };
  const pool = as('maker', () => connectionPool(make, { max: 2 }));
  onTestFinished(() => pool.close({ drain: 0 }));
  const first = watchAs('first', pool.acquire());
  const second = watchAs('second', pool.acquire());
  await expect.poll(() => [...first.values, ...second.values]).toHaveLength(2);
  expect(users).toEqual(['maker', 'maker']);
});
