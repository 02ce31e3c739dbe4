// connectionPool(): who gets a connection, when, and what happens to it afterwards.
import { type ConnectionPool, connect, connectionPool, data, lines, on, reader, type Socket } from '@rxsock/core';
import { firstValueFrom, retry, Subject, take, takeUntil } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { closedPort, drainRaw, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { acquire, poolOf } from '../support/pools.js';

describe('acquire()', () => {
  test('dials for the first user and gives the same connection to the next', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port);
    const idle = pool.acquire();
    expect([pool.size, pool.idle, pool.waiting]).toEqual([0, 0, 0]);
    const first = firstValueFrom(idle);
    expect([pool.size, pool.idle, pool.waiting]).toEqual([1, 0, 1]);
    const socket = await first;
    expect(socket.readyState).toBe('open');
    const second = await acquire(pool);
    expect(second.socket).toBe(socket);
    expect([pool.size, pool.idle, pool.waiting]).toEqual([1, 0, 0]);
    second.release();
    await turns();
    expect([pool.size, pool.idle, pool.waiting]).toEqual([1, 1, 0]);
    expect(socket.readyState).toBe('open');
    expect(server.peers).toHaveLength(1);
  });

  test('keeps a connection open while its users subscribe and leave, and reads nothing meanwhile', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port);
    const peer = server.next();
    for (let use = 1; use <= 2; use++) {
      const { socket, release } = await acquire(pool);
      record(socket).subscription.unsubscribe();
      await turns();
      expect(socket.readyState).toBe('open');
      (await peer).write('kept');
      await expect.poll(() => socket.bytesRead).toBe(4 * use);
      expect(String(await firstValueFrom(socket.pipe(data())))).toBe('kept');
      release();
      await turns(1);
    }
    expect(server.peers).toHaveLength(1);
  });

  test('lends at most max connections, and gives the first one that is released to the first user in line', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port, { max: 2 });
    const [one, two] = await Promise.all([acquire(pool), acquire(pool)]);
    expect(one.socket).not.toBe(two.socket);
    const order: string[] = [];
    const waits = async (name: string) => {
      const acquired = await acquire(pool);
      order.push(name);
      return acquired;
    };
    const [third, fourth] = [waits('third'), waits('fourth')];
    await turns();
    expect([pool.size, pool.idle, pool.waiting, order]).toEqual([2, 0, 2, []]);
    two.release();
    expect((await third).socket).toBe(two.socket);
    one.release();
    expect((await fourth).socket).toBe(one.socket);
    expect(order).toEqual(['third', 'fourth']);
    expect(server.peers).toHaveLength(2);
  });

  test('prefers the connection that was used last', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port);
    const [one, two] = await Promise.all([acquire(pool), acquire(pool)]);
    two.release();
    await turns(1);
    one.release();
    await turns(1);
    expect((await acquire(pool)).socket).toBe(one.socket);
    expect((await acquire(pool)).socket).toBe(two.socket);
  });

  test('unsubscribing while waiting leaves the queue and gives up the dial that was started for it', async () => {
    const server = await rawServer();
    const sockets: Socket[] = [];
    const pool = connectionPool(() => {
      const socket = connect({ host: '127.0.0.1', port: server.port });
      sockets.push(socket);
      return socket;
    });
    const leaving = record(pool.acquire());
    const staying = record(pool.acquire());
    expect([pool.size, pool.waiting]).toEqual([2, 2]);
    leaving.subscription.unsubscribe();
    expect([pool.size, pool.waiting]).toEqual([1, 1]);
    await expect.poll(() => staying.values).toEqual([sockets[0]]);
    expect(sockets.map(({ readyState }) => readyState)).toEqual(['open', 'closed']);
    await pool.close({ drain: 0 });
  });

  test('a user who leaves the queue does not block others', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port, { max: 1 });
    const first = await acquire(pool);
    const leaving = record(pool.acquire());
    const next = acquire(pool);
    leaving.subscription.unsubscribe();
    first.release();
    expect((await next).socket).toBe(first.socket);
    expect(leaving.log).toEqual([]);
  });
});

describe('a server', () => {
  test('that is down fails each waiting acquire(), and the next one dials again', async () => {
    const server = await rawServer();
    const down = await closedPort();
    let port = down;
    const { pool } = poolOf(() => port, { max: 2 });
    // The pool has already made its first socket, to check the options.
    const waiting = Array.from({ length: 5 }, () => record(pool.acquire()));
    for (const { ended } of waiting) expect((await ended).error).toMatchObject({ code: 'ECONNREFUSED' });
    expect([pool.size, pool.idle, pool.waiting]).toEqual([0, 0, 0]);
    port = server.port;
    expect((await acquire(pool)).socket.remote).toMatchObject({ port });
  });

  test('that comes back is dialled again for those who still wait', async () => {
    const server = await rawServer();
    const ports = [await closedPort()];
    const { pool } = poolOf(() => ports.shift() ?? server.port, { max: 1 });
    const [first, second] = [record(pool.acquire()), record(pool.acquire())];
    expect((await first.ended).error).toMatchObject({ code: 'ECONNREFUSED' });
    await expect.poll(() => second.values).toHaveLength(1);
  });

  test('that is slow is given up after acquireTimeout, and nothing is left of the wait', async () => {
    const slow = { host: 'slow.example', lookup: () => {}, connectTimeout: 0 };
    const { pool, clock } = poolOf(1, { acquireTimeout: 500 }, slow);
    const { ended, log } = record(pool.acquire());
    clock.tick(499);
    expect([log, pool.size]).toEqual([[], 1]);
    clock.tick(1);
    expect((await ended).error).toMatchObject({ name: 'PoolError', code: 'ERR_POOL_TIMEOUT', phase: 'open' });
    expect([pool.size, pool.waiting]).toEqual([0, 0]);
    expect(String((await ended).error)).toContain(
      'acquireTimeout (500 ms): the pool has 1 of 10 connections (max) and 1 waiting acquire();',
    );
  });

  test.each([
    ['by FIN', (peer: { end(): void }) => peer.end(), false],
    ['by a reset', (peer: { resetAndDestroy(): void }) => peer.resetAndDestroy(), false],
    ['by FIN, where half-open is allowed', (peer: { end(): void }) => peer.end(), true],
  ])(
    'that hangs up between two uses, %s, gets a new connection for the next use',
    async (_how, hangUp, allowHalfOpen) => {
      const server = await rawServer();
      const { pool, clock } = poolOf(server.port, {}, { allowHalfOpen });
      const first = await acquire(pool);
      const peer = await server.next();
      first.release();
      await expect.poll(() => pool.idle).toBe(1);
      hangUp(peer as never);
      await expect.poll(() => [pool.size, pool.idle]).toEqual([0, 0]);
      if (!peer.destroyed) expect((await drainRaw(peer)).end).toBe('end');
      await expect.poll(() => first.socket.readyState).toBe('closed');
      expect(clock.actions.filter(({ closed }) => !closed)).toEqual([]);
      const second = await acquire(pool);
      expect(second.socket).not.toBe(first.socket);
      expect(second.socket.readyState).toBe('open');
    },
  );

  test('that hangs up during a use fails that use, and the connection is replaced', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port, { max: 1 });
    const first = await acquire(pool);
    const { ended } = record(first.socket.pipe(data()));
    const next = acquire(pool);
    (await server.next()).resetAndDestroy();
    expect((await ended).error).toMatchObject({ code: 'ECONNRESET' });
    expect((await next).socket).not.toBe(first.socket);
    first.release();
    await turns();
    expect([pool.size, pool.idle]).toEqual([1, 0]);
  });
});

describe('a released connection', () => {
  /** Acquires a connection, does something to it, and releases it. */
  async function after(use: (socket: Socket) => void, sent = '', options = {}) {
    const server = await rawServer();
    const { pool } = poolOf(server.port, {}, options);
    const acquired = await acquire(pool);
    const peer = await server.next();
    if (sent) peer.write(sent);
    await expect.poll(() => acquired.socket.bytesRead).toBe(sent.length);
    use(acquired.socket);
    acquired.release();
    await turns();
    return { pool, peer, socket: acquired.socket };
  }

  test.each([
    ['with unread bytes', () => {}, 'unread', 'ECONNRESET'],
    ['held', (socket: Socket) => socket.hold('forgotten'), '', 'end'],
    ['with a reader that was not released', (socket: Socket) => reader(socket), '', 'end'],
    ['half-closed', (socket: Socket) => socket.complete(), '', 'end'],
    ['closed', (socket: Socket) => void socket.close(), '', 'end'],
    ['aborted', (socket: Socket) => socket.error(), '', 'ECONNRESET'],
    [
      'with bytes that its last reader gave back',
      (socket: Socket) => void socket.pipe(data(), lines(), take(1)).subscribe(),
      'one\ntwo\n',
      'ECONNRESET',
    ],
  ])('is not used again: %s', async (_how, use, sent, end) => {
    const { pool, peer } = await after(use, sent);
    expect([pool.size, pool.idle]).toEqual([0, 0]);
    expect((await drainRaw(peer)).end).toBe(end);
  });

  test('whose reader is still leaving does not give the next user what that reader gives back', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port, { max: 1 });
    const acquired = await acquire(pool);
    (await server.next()).write('one\ntwo\n');
    const next = acquire(pool);
    // The pool gets the connection back before its last reader has left.
    const reading = acquired.socket.pipe(data(), lines(), take(1)).subscribe(acquired.release);
    await expect.poll(() => reading.closed).toBe(true);
    expect((await next).socket).not.toBe(acquired.socket);
  });

  test('with bytes still to write is not used again, and the bytes are flushed', async () => {
    const { pool, peer } = await after((socket) => void socket.next(Buffer.alloc(20_000_000)));
    expect([pool.size, pool.idle]).toEqual([0, 0]);
    const { bytes, end } = await drainRaw(peer);
    expect([bytes.length, end]).toEqual([20_000_000, 'end']);
  });

  test('is not used again after the peer has ended', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port, {}, { allowHalfOpen: true });
    const acquired = await acquire(pool);
    const ended = firstValueFrom(acquired.socket.pipe(on('end')));
    const peer = await server.next();
    peer.end();
    await ended;
    acquired.release();
    await turns();
    expect([pool.size, pool.idle]).toEqual([0, 0]);
    expect((await drainRaw(peer)).end).toBe('end');
  });

  test('that is idle is closed when it receives unrequested bytes', async () => {
    const { pool, peer } = await after(() => {});
    expect([pool.size, pool.idle]).toEqual([1, 1]);
    peer.write('the late rest of an answer');
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    expect([pool.size, pool.idle]).toEqual([0, 0]);
  });

  test('whose write side someone else completed is not lent again', async () => {
    const { pool, socket } = await after(() => {});
    socket.complete();
    expect((await acquire(pool)).socket).not.toBe(socket);
  });

  test.each([true, 60_000])(
    'that is idle is closed after idleTimeout, whatever its keepOpen (%s)',
    async (keepOpen) => {
      const server = await rawServer();
      const { pool, clock } = poolOf(server.port, { idleTimeout: 1000 }, { keepOpen });
      const first = await acquire(pool);
      clock.tick(5000);
      first.release();
      await turns(1);
      clock.tick(999);
      const second = await acquire(pool);
      expect(second.socket).toBe(first.socket);
      clock.tick(5000);
      second.release();
      await turns(1);
      clock.tick(999);
      expect([pool.size, pool.idle, second.socket.readyState]).toEqual([1, 1, 'open']);
      clock.tick(1);
      expect([pool.size, pool.idle]).toEqual([0, 0]);
      expect((await drainRaw(await server.next())).end).toBe('end');
    },
  );

  test('that is closing reads what the peer still sends and does not reset', async () => {
    const server = await rawServer();
    const { pool, clock } = poolOf(server.port, { idleTimeout: 1000 });
    const { socket, release } = await acquire(pool);
    const peer = await server.next();
    release();
    await turns(1);
    clock.tick(1000);
    expect((await drainRaw(peer)).end).toBe('end');
    peer.end('goodbye');
    expect(await socket.close()).toMatchObject({ by: 'local', how: 'fin' });
  });
});

describe('bounds', () => {
  test('maxWaiting rejects an acquire() beyond it, on the next turn', async () => {
    const server = await rawServer();
    const { pool, clock } = poolOf(server.port, { max: 1, maxWaiting: 1 });
    const first = await acquire(pool);
    const waits = record(pool.acquire());
    const refused = record(pool.acquire().pipe(retry(2)));
    expect([refused.log, pool.waiting]).toEqual([[], 1]);
    clock.tick(0);
    expect(await refused.ended).toMatchObject({ error: { name: 'PoolError', code: 'ERR_POOL_FULL' } });
    first.release();
    await expect.poll(() => waits.values).toEqual([first.socket]);
  });

  test('maxWaiting 0 accepts users while connections may be opened', async () => {
    const server = await rawServer();
    const { pool, clock } = poolOf(server.port, { max: 2, maxWaiting: 0 });
    const pending = [acquire(pool), acquire(pool)];
    const refused = record(pool.acquire());
    clock.tick(0);
    expect(await refused.ended).toMatchObject({ error: { code: 'ERR_POOL_FULL' } });
    await Promise.all(pending);
  });

  test('acquireTimeout limits the wait for a connection that is not released, but not its use', async () => {
    const server = await rawServer();
    const { pool, clock } = poolOf(server.port, { max: 1, acquireTimeout: 500 });
    const user = record(pool.acquire());
    await expect.poll(() => user.values).toHaveLength(1);
    const { ended } = record(pool.acquire());
    clock.tick(500);
    expect(await ended).toMatchObject({ error: { code: 'ERR_POOL_TIMEOUT' } });
    clock.tick(1e6);
    expect([user.log.length, pool.waiting]).toEqual([1, 0]);
  });

  const make = () => connect({ port: 1 });

  test.each([
    [() => connectionPool(undefined as never), TypeError],
    [() => connectionPool((async () => make()) as never), /not a promise/],
    [() => connectionPool(() => connect({ port: -1 })), RangeError],
    [() => connectionPool(make, { max: 0 }), /max /],
    [() => connectionPool(make, { max: 1.5 }), /max /],
    [() => connectionPool(make, { idleTimeout: -1 }), /idleTimeout/],
    [() => connectionPool(make, { acquireTimeout: Number.NaN }), /acquireTimeout/],
    [() => connectionPool(make, { maxWaiting: -1 }), /maxWaiting/],
    [() => connectionPool(make, { validateTimeout: -1 }), /validateTimeout/],
    [() => connectionPool(make, { validate: true as never }), /validate/],
    [() => connectionPool(make).close({ drain: -1 }), /drain/],
  ])('rejects bad options at the call: %s', (call, error) => {
    expect(call).toThrow(error as never);
  });

  test('an exception in a later call of the factory goes to the waiting acquire()', async () => {
    const server = await rawServer();
    const options = { host: '127.0.0.1', port: server.port };
    const sockets = [connect(options)];
    const pool = connectionPool(() => sockets.shift() as Socket);
    await acquire(pool);
    const refused = record(pool.acquire().pipe(retry(2)));
    expect(refused.log).toEqual([]);
    expect((await refused.ended).error).toBeInstanceOf(TypeError);
    expect([pool.size, pool.waiting]).toEqual([1, 0]);
    await pool.close({ drain: 0 });
  });

  test('a factory that returns the same socket again is an error: two users cannot share one', async () => {
    const server = await rawServer();
    const shared = connect({ host: '127.0.0.1', port: server.port });
    const pool = connectionPool(() => shared);
    const { socket } = await acquire(pool);
    expect(socket).toBe(shared);
    const refused = new TypeError(
      'The factory of connectionPool() returned the same socket again: return a new one at each call',
    );
    expect((await record(pool.acquire()).ended).error).toEqual(refused);
    expect(shared.readyState).toBe('open');
    await pool.close({ drain: 0 });
  });
});

test('a function that closes the pool dials for nobody', async () => {
  const server = await rawServer();
  let calls = 0;
  const port = () => {
    if (++calls === 2) void pool.close();
    return server.port;
  };
  const { pool } = poolOf(port, { max: 2 });
  const first = await acquire(pool);
  await expect(acquire(pool)).rejects.toMatchObject({ code: 'ERR_POOL_CLOSED' });
  expect(pool.size).toBe(1);
  first.release();
  await pool.close();
  expect(server.peers).toHaveLength(1);
});

/** A pool of two, with one connection in use. `use` runs when the second one is made. */
async function usedInside(use: (pool: ConnectionPool) => void): Promise<ConnectionPool> {
  const server = await rawServer();
  let calls = 0;
  const port = () => {
    if (++calls === 2) use(pool);
    return server.port;
  };
  const { pool } = poolOf(port, { max: 2 });
  await acquire(pool);
  return pool;
}

test('a function that acquires from its own pool makes no more than max', async () => {
  const pool = await usedInside((inner) => void record(inner.acquire()));
  record(pool.acquire());
  expect(pool.size).toBe(2);
});

test('a function that ends the only acquire() dials for nobody', async () => {
  const leave = new Subject<void>();
  const pool = await usedInside(() => leave.next());
  record(pool.acquire().pipe(takeUntil(leave)));
  expect(pool.size).toBe(1);
});
