// connectionPool(): who gets a connection, when, and what becomes of it afterwards.
import { connect, connectionPool, data, lines, on, reader, type Socket } from '@rxsock/core';
import { firstValueFrom, retry, take } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { closedPort, drainRaw, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { borrow, poolOf } from '../support/pools.js';

describe('acquire()', () => {
  test('dials for the first, and gives the same connection to the next', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port);
    const idle = pool.acquire();
    expect([pool.size, pool.idle, pool.waiting]).toEqual([0, 0, 0]);
    const first = firstValueFrom(idle);
    expect([pool.size, pool.idle, pool.waiting]).toEqual([1, 0, 1]);
    const socket = await first;
    expect(socket.readyState).toBe('open');
    const second = await borrow(pool);
    expect(second.socket).toBe(socket);
    expect([pool.size, pool.idle, pool.waiting]).toEqual([1, 0, 0]);
    second.giveBack();
    await turns();
    expect([pool.size, pool.idle, pool.waiting]).toEqual([1, 1, 0]);
    expect(socket.readyState).toBe('open');
    expect(server.peers).toHaveLength(1);
  });

  test('stays open for the pool while its users subscribe and leave, and reads nothing meanwhile', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port);
    const peer = server.next();
    for (let use = 1; use <= 2; use++) {
      const { socket, giveBack } = await borrow(pool);
      record(socket).subscription.unsubscribe();
      await turns();
      expect(socket.readyState).toBe('open');
      (await peer).write('kept');
      await expect.poll(() => socket.bytesRead).toBe(4 * use);
      expect(String(await firstValueFrom(socket.pipe(data())))).toBe('kept');
      giveBack();
      await turns(1);
    }
    expect(server.peers).toHaveLength(1);
  });

  test('gives max connections at a time, and then the first one given back to the first who waits', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port, { max: 2 });
    const [one, two] = await Promise.all([borrow(pool), borrow(pool)]);
    expect(one.socket).not.toBe(two.socket);
    const order: string[] = [];
    const waits = async (name: string) => {
      const loan = await borrow(pool);
      order.push(name);
      return loan;
    };
    const [third, fourth] = [waits('third'), waits('fourth')];
    await turns();
    expect([pool.size, pool.idle, pool.waiting, order]).toEqual([2, 0, 2, []]);
    two.giveBack();
    expect((await third).socket).toBe(two.socket);
    one.giveBack();
    expect((await fourth).socket).toBe(one.socket);
    expect(order).toEqual(['third', 'fourth']);
    expect(server.peers).toHaveLength(2);
  });

  test('gives the connection that was used last', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port);
    const [one, two] = await Promise.all([borrow(pool), borrow(pool)]);
    two.giveBack();
    await turns(1);
    one.giveBack();
    await turns(1);
    expect((await borrow(pool)).socket).toBe(one.socket);
    expect((await borrow(pool)).socket).toBe(two.socket);
  });

  test('unsubscribed while it waits, it waits no more, and what was dialled for it is given up', async () => {
    const server = await rawServer();
    const sockets: Socket[] = [];
    const pool = connectionPool(() => {
      const socket = connect({ host: '127.0.0.1', port: server.port });
      sockets.push(socket);
      return socket;
    });
    const waits = record(pool.acquire());
    const stays = record(pool.acquire());
    expect([pool.size, pool.waiting]).toEqual([2, 2]);
    waits.subscription.unsubscribe();
    expect([pool.size, pool.waiting]).toEqual([1, 1]);
    await expect.poll(() => stays.values).toEqual([sockets[0]]);
    expect(sockets.map(({ readyState }) => readyState)).toEqual(['open', 'closed']);
    await pool.close({ drain: 0 });
  });

  test('one that waits and leaves does not stand in the way of others', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port, { max: 1 });
    const first = await borrow(pool);
    const leaving = record(pool.acquire());
    const next = borrow(pool);
    leaving.subscription.unsubscribe();
    first.giveBack();
    expect((await next).socket).toBe(first.socket);
    expect(leaving.log).toEqual([]);
  });
});

describe('a server', () => {
  test('that is down: each who waits is told, and the next one tries anew', async () => {
    const server = await rawServer();
    const down = await closedPort();
    let port = down;
    const { pool } = poolOf(() => port, { max: 2 });
    // The pool has made its first socket already, to see whether the options are good.
    const waiting = Array.from({ length: 5 }, () => record(pool.acquire()));
    for (const { ended } of waiting) expect((await ended).error).toMatchObject({ code: 'ECONNREFUSED' });
    expect([pool.size, pool.idle, pool.waiting]).toEqual([0, 0, 0]);
    port = server.port;
    expect((await borrow(pool)).socket.remote).toMatchObject({ port });
  });

  test('that comes back while some wait', async () => {
    const server = await rawServer();
    const ports = [await closedPort()];
    const { pool } = poolOf(() => ports.shift() ?? server.port, { max: 1 });
    const [first, second] = [record(pool.acquire()), record(pool.acquire())];
    expect((await first.ended).error).toMatchObject({ code: 'ECONNREFUSED' });
    await expect.poll(() => second.values).toHaveLength(1);
  });

  test('that is slow: acquireTimeout ends the wait, and nothing is left of it', async () => {
    const slow = { host: 'slow.example', lookup: () => {}, connectTimeout: 0 };
    const { pool, clock } = poolOf(1, { acquireTimeout: 500 }, slow);
    const { ended, log } = record(pool.acquire());
    clock.pass(499);
    expect([log, pool.size]).toEqual([[], 1]);
    clock.pass(1);
    expect((await ended).error).toMatchObject({ name: 'PoolError', code: 'ERR_POOL_TIMEOUT', phase: 'open' });
    expect([pool.size, pool.waiting]).toEqual([0, 0]);
    expect(String((await ended).error)).toContain(
      'acquireTimeout (500 ms): 1 of 10 (max) are there, and 1 wait for one',
    );
  });

  test.each([
    ['by FIN', (peer: { end(): void }) => peer.end(), false],
    ['by a reset', (peer: { resetAndDestroy(): void }) => peer.resetAndDestroy(), false],
    ['by FIN, where half-open is allowed', (peer: { end(): void }) => peer.end(), true],
  ])('that hangs up between two uses, %s: the next use gets a new connection', async (_how, hangUp, allowHalfOpen) => {
    const server = await rawServer();
    const { pool, clock } = poolOf(server.port, {}, { allowHalfOpen });
    const first = await borrow(pool);
    const peer = await server.next();
    first.giveBack();
    await expect.poll(() => pool.idle).toBe(1);
    hangUp(peer as never);
    await expect.poll(() => [pool.size, pool.idle]).toEqual([0, 0]);
    if (!peer.destroyed) expect((await drainRaw(peer)).end).toBe('end');
    await expect.poll(() => first.socket.readyState).toBe('closed');
    expect(clock.actions.filter(({ closed }) => !closed)).toEqual([]);
    const second = await borrow(pool);
    expect(second.socket).not.toBe(first.socket);
    expect(second.socket.readyState).toBe('open');
  });

  test('that hangs up during a use: the user is told, and the connection is replaced', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port, { max: 1 });
    const first = await borrow(pool);
    const { ended } = record(first.socket.pipe(data()));
    const next = borrow(pool);
    (await server.next()).resetAndDestroy();
    expect((await ended).error).toMatchObject({ code: 'ECONNRESET' });
    expect((await next).socket).not.toBe(first.socket);
    first.giveBack();
    await turns();
    expect([pool.size, pool.idle]).toEqual([1, 0]);
  });
});

describe('given back', () => {
  /** Borrows a connection, does something to it, and gives it back. */
  async function after(act: (socket: Socket) => void, sent = '', options = {}) {
    const server = await rawServer();
    const { pool } = poolOf(server.port, {}, options);
    const loan = await borrow(pool);
    const peer = await server.next();
    if (sent) peer.write(sent);
    await expect.poll(() => loan.socket.bytesRead).toBe(sent.length);
    act(loan.socket);
    loan.giveBack();
    await turns();
    return { pool, peer, socket: loan.socket };
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
  ])('%s, a connection is not used again', async (_how, act, sent, end) => {
    const { pool, peer } = await after(act, sent);
    expect([pool.size, pool.idle]).toEqual([0, 0]);
    expect((await drainRaw(peer)).end).toBe(end);
  });

  test('with its reader still leaving, the next user does not get what that one gives back', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port, { max: 1 });
    const loan = await borrow(pool);
    (await server.next()).write('one\ntwo\n');
    const next = borrow(pool);
    // The pool has it back before its last reader has left.
    const reading = loan.socket.pipe(data(), lines(), take(1)).subscribe(loan.giveBack);
    await expect.poll(() => reading.closed).toBe(true);
    expect((await next).socket).not.toBe(loan.socket);
  });

  test('with bytes still to be written, it is not used again, and they are flushed', async () => {
    const { pool, peer } = await after((socket) => void socket.next(Buffer.alloc(20_000_000)));
    expect([pool.size, pool.idle]).toEqual([0, 0]);
    const { bytes, end } = await drainRaw(peer);
    expect([bytes.length, end]).toEqual([20_000_000, 'end']);
  });

  test('after the peer has ended, it is not used again', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port, {}, { allowHalfOpen: true });
    const loan = await borrow(pool);
    const ended = firstValueFrom(loan.socket.pipe(on('end')));
    const peer = await server.next();
    peer.end();
    await ended;
    loan.giveBack();
    await turns();
    expect([pool.size, pool.idle]).toEqual([0, 0]);
    expect((await drainRaw(peer)).end).toBe('end');
  });

  test('and idle, what nobody has asked for ends it', async () => {
    const { pool, peer } = await after(() => {});
    expect([pool.size, pool.idle]).toEqual([1, 1]);
    peer.write('the late rest of an answer');
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    expect([pool.size, pool.idle]).toEqual([0, 0]);
  });

  test('and completed behind the back of the pool, it is not given out', async () => {
    const { pool, socket } = await after(() => {});
    socket.complete();
    expect((await borrow(pool)).socket).not.toBe(socket);
  });

  test.each([true, 60_000])(
    'and left to lie, it closes after idleTimeout, whatever keepOpen says (%s)',
    async (keepOpen) => {
      const server = await rawServer();
      const { pool, clock } = poolOf(server.port, { idleTimeout: 1000 }, { keepOpen });
      const first = await borrow(pool);
      clock.pass(5000);
      first.giveBack();
      await turns(1);
      clock.pass(999);
      const second = await borrow(pool);
      expect(second.socket).toBe(first.socket);
      clock.pass(5000);
      second.giveBack();
      await turns(1);
      clock.pass(999);
      expect([pool.size, pool.idle, second.socket.readyState]).toEqual([1, 1, 'open']);
      clock.pass(1);
      expect([pool.size, pool.idle]).toEqual([0, 0]);
      expect((await drainRaw(await server.next())).end).toBe('end');
    },
  );

  test('and closing, it takes what the peer still says without a reset', async () => {
    const server = await rawServer();
    const { pool, clock } = poolOf(server.port, { idleTimeout: 1000 });
    const { socket, giveBack } = await borrow(pool);
    const peer = await server.next();
    giveBack();
    await turns(1);
    clock.pass(1000);
    expect((await drainRaw(peer)).end).toBe('end');
    peer.end('goodbye');
    expect(await socket.close()).toMatchObject({ by: 'local', how: 'fin' });
  });
});

describe('bounds', () => {
  test('maxWaiting: who comes when so many wait is refused, on the next turn', async () => {
    const server = await rawServer();
    const { pool, clock } = poolOf(server.port, { max: 1, maxWaiting: 1 });
    const first = await borrow(pool);
    const waits = record(pool.acquire());
    const refused = record(pool.acquire().pipe(retry(2)));
    expect([refused.log, pool.waiting]).toEqual([[], 1]);
    clock.pass(0);
    expect(await refused.ended).toMatchObject({ error: { name: 'PoolError', code: 'ERR_POOL_FULL' } });
    first.giveBack();
    await expect.poll(() => waits.values).toEqual([first.socket]);
  });

  test('maxWaiting 0 lets those through for whom there may be a connection', async () => {
    const server = await rawServer();
    const { pool, clock } = poolOf(server.port, { max: 2, maxWaiting: 0 });
    const loans = [borrow(pool), borrow(pool)];
    const refused = record(pool.acquire());
    clock.pass(0);
    expect(await refused.ended).toMatchObject({ error: { code: 'ERR_POOL_FULL' } });
    await Promise.all(loans);
  });

  test('acquireTimeout ends the wait for a connection that is not given back, and not the use of one', async () => {
    const server = await rawServer();
    const { pool, clock } = poolOf(server.port, { max: 1, acquireTimeout: 500 });
    const user = record(pool.acquire());
    await expect.poll(() => user.values).toHaveLength(1);
    const { ended } = record(pool.acquire());
    clock.pass(500);
    expect(await ended).toMatchObject({ error: { code: 'ERR_POOL_TIMEOUT' } });
    clock.pass(1e6);
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
  ])('bad options throw at the call: %s', (call, error) => {
    expect(call).toThrow(error as never);
  });

  test('what a later call of the factory throws is told to who waits', async () => {
    const server = await rawServer();
    const options = { host: '127.0.0.1', port: server.port };
    const sockets = [connect(options)];
    const pool = connectionPool(() => sockets.shift() as Socket);
    await borrow(pool);
    const refused = record(pool.acquire().pipe(retry(2)));
    expect(refused.log).toEqual([]);
    expect((await refused.ended).error).toBeInstanceOf(TypeError);
    expect([pool.size, pool.waiting]).toEqual([1, 0]);
    await pool.close({ drain: 0 });
  });

  test('a factory that gives the same socket again is refused: two users cannot have one', async () => {
    const server = await rawServer();
    const shared = connect({ host: '127.0.0.1', port: server.port });
    const pool = connectionPool(() => shared);
    const { socket } = await borrow(pool);
    expect(socket).toBe(shared);
    const refused = new TypeError('connectionPool was given the same socket once more: make a new one at each call');
    expect((await record(pool.acquire()).ended).error).toEqual(refused);
    expect(shared.readyState).toBe('open');
    await pool.close({ drain: 0 });
  });
});
