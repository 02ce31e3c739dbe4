// ConnectionPool: exchanges with use(), validation before a connection is used again, and the end of the pool.
import {
  type ConnectionPool,
  data,
  lines,
  mapWithBackpressure,
  on,
  reader,
  type Socket,
  SocketError,
} from '@rxsock/core';
import {
  EMPTY,
  filter,
  firstValueFrom,
  from,
  ignoreElements,
  lastValueFrom,
  NEVER,
  Observable,
  of,
  retry,
  Subject,
  take,
  throwError,
  toArray,
} from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { drainRaw, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { acquire, poolOf } from '../support/pools.js';

/** A server that calls `answer` for each line. */
const answering = (answer = 'answer\n') => rawServer((peer) => peer.on('data', () => peer.write(answer)).resume());

const ask = (pool: ConnectionPool) =>
  pool.use((socket) => {
    socket.next('question\n');
    return socket.pipe(data(), lines(), take(1));
  });

describe('use()', () => {
  test.each([
    ['when the exchange is complete', lastValueFrom],
    ['even to a user who unsubscribes at the last value', firstValueFrom],
  ])('gives the connection back %s, in time for the next user', async (_when, take) => {
    const server = await answering();
    const { pool } = poolOf(server.port);
    for (let round = 0; round < 50; round++) expect(await take(ask(pool))).toBe('answer');
    expect(server.peers).toHaveLength(1);
    await turns(1);
    expect([pool.size, pool.idle]).toEqual([1, 1]);
  });

  test('does not leave the rest of a long answer to the next exchange', async () => {
    const server = await answering('answer\nmore\n');
    const { pool } = poolOf(server.port);
    for (let round = 0; round < 3; round++) expect(await lastValueFrom(ask(pool))).toBe('answer');
    expect(server.peers).toHaveLength(3);
  });

  const failure = new Error('failed');

  test.each([
    ['fails', () => throwError(() => failure)],
    [
      'throws',
      () => {
        throw failure;
      },
    ],
    ['returns nothing to subscribe to', () => undefined as never],
  ])('aborts the connection where the exchange %s', async (_how, project) => {
    const server = await rawServer();
    const { pool } = poolOf(server.port);
    const { ended, log } = record(pool.use(project));
    expect(((await ended).error as Error).message).toMatch(/failed|undefined/);
    expect(log).toHaveLength(1);
    await turns();
    expect(pool.size).toBe(0);
    expect((await drainRaw(await server.next())).end).toBe('ECONNRESET');
  });

  test('aborts the connection when the exchange is unsubscribed', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port);
    const { subscription } = record(pool.use(() => NEVER));
    const peer = await server.next();
    await expect.poll(() => pool.waiting).toBe(0);
    subscription.unsubscribe();
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    expect(pool.size).toBe(0);
  });

  test('reports why there is no connection', async () => {
    const { pool, clock } = poolOf(1);
    await pool.close();
    const { ended } = record(pool.use(() => NEVER));
    clock.tick(0);
    expect(await ended).toMatchObject({ error: { code: 'ERR_POOL_CLOSED' } });
  });

  const untilTheEnd = (pool: ConnectionPool) => pool.use((socket) => socket.pipe(data(), lines()));
  const line = (socket: Socket) => reader(socket).readLine();

  test.each<[string, (pool: ConnectionPool) => Observable<unknown>]>([
    ['at once', ask],
    ['a little later', (pool) => pool.use((socket) => from(line(socket)).pipe(filter((got) => got !== undefined)))],
  ])('reports a peer that hangs up before any answer, where the exchange completes %s', async (_when, exchange) => {
    const server = await rawServer((peer) => peer.end());
    const { pool } = poolOf(server.port);
    const error = await lastValueFrom(exchange(pool)).catch((error) => error);
    expect(error).toMatchObject({
      name: 'PoolError',
      code: 'ERR_POOL_HANGUP',
      phase: 'read',
      remote: { port: server.port },
      message: expect.stringMatching(
        `^The peer at 127.0.0.1:${server.port} ended the connection before the exchange emitted anything`,
      ),
    });
    await expect.poll(() => pool.size).toBe(0);
  });

  test('retry(1) recovers from a hang-up that nobody had noticed', async () => {
    let connections = 0;
    const server = await rawServer((peer) => {
      if (connections++ === 0) peer.end();
      else peer.on('data', () => peer.write('answer\n')).resume();
    });
    const { pool } = poolOf(server.port);
    expect(await lastValueFrom(ask(pool).pipe(retry(1)))).toBe('answer');
    expect(connections).toBe(2);
  });

  test('completes an exchange that emitted something, that ended the connection itself, or that needs no answer', async () => {
    const server = await rawServer((peer) => peer.end('answer\n'));
    const { pool } = poolOf(server.port);
    expect(await lastValueFrom(untilTheEnd(pool).pipe(toArray()))).toEqual(['answer']);
    const leaving = pool.use((socket) => {
      socket.complete();
      return socket.pipe(data(), ignoreElements());
    });
    expect(await lastValueFrom(leaving.pipe(toArray()))).toEqual([]);
    expect(await lastValueFrom(pool.use(() => EMPTY).pipe(toArray()))).toEqual([]);
  });

  test('lets a slow consumer hold the socket', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port);
    const gate = new Subject<void>();
    let socket: Socket | undefined;
    const received = pool.use((acquired) => {
      socket = acquired;
      return acquired.pipe(data(), lines());
    });
    record(received.pipe(mapWithBackpressure(() => gate, { highWaterMark: 2 })));
    (await server.next()).write('1\n2\n3\n4\n5\n');
    await expect.poll(() => socket?.holds).toEqual(['lines ← mapWithBackpressure']);
  });
});

describe('validate', () => {
  /** A pool with one idle connection, which it validates before it is used again. */
  async function asked(validate: (socket: Socket) => never, options = {}) {
    const server = await rawServer();
    const calls: Socket[] = [];
    const test = poolOf(server.port, {
      validate: (socket) => {
        calls.push(socket);
        return validate(socket);
      },
      ...options,
    });
    const { socket, release } = await acquire(test.pool);
    const peer = await server.next();
    expect(calls).toEqual([]);
    release();
    await turns(1);
    return { ...test, server, socket, peer, calls };
  }

  test.each([
    ['true', () => true],
    ['a promise of true', async () => true],
    ['an Observable of true, and of more that is ignored', () => of(true, false)],
  ])('%s lets the connection be used again', async (_what, validate) => {
    const { pool, socket, calls } = await asked(validate as () => never);
    expect((await acquire(pool)).socket).toBe(socket);
    expect(calls).toEqual([socket]);
  });

  test.each([
    ['false', () => false],
    ['a value other than true', () => 1],
    ['a promise of false', async () => false],
    ['an Observable of nothing', () => of()],
    ['an error', () => throwError(() => new SocketError('silence', { code: 'ETIMEDOUT', phase: 'read' }))],
  ])('%s replaces the connection', async (_what, validate) => {
    const warn = vi.spyOn(process, 'emitWarning');
    const { pool, socket, server, peer } = await asked(validate as () => never);
    expect((await acquire(pool)).socket).not.toBe(socket);
    expect([pool.size, server.peers.length]).toEqual([1, 2]);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
  });

  test.each([
    [
      'that throws',
      () => {
        throw new Error('a mistake');
      },
    ],
    ['that rejects', () => Promise.reject(new Error('a mistake'))],
  ])('%s replaces the connection and emits a warning', async (_what, validate) => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const { pool, socket } = await asked(validate as () => never);
    expect((await acquire(pool)).socket).not.toBe(socket);
    expect(warn).toHaveBeenCalledExactlyOnceWith(new Error('a mistake'));
    warn.mockRestore();
  });

  test('may exchange bytes with the peer', async () => {
    const ping = async (socket: Socket) => {
      socket.next('PING\n');
      using answers = reader(socket);
      return (await answers.readLine()) === 'PONG';
    };
    const { pool, socket, peer } = await asked(ping as never);
    peer.on('data', () => peer.write('PONG\n')).resume();
    expect((await acquire(pool)).socket).toBe(socket);
  });

  test('replaces the connection if it leaves bytes unread', async () => {
    const ping = (socket: Socket) => {
      socket.next('PING\n');
      return firstValueFrom(socket.pipe(data(), lines())).then(() => true);
    };
    const { pool, socket, peer } = await asked(ping as never);
    peer.on('data', () => peer.write('PONG\nand more\n')).resume();
    expect((await acquire(pool)).socket).not.toBe(socket);
  });

  test('replaces the connection if it leaves it held, without waiting', async () => {
    const { pool, socket } = await asked((async (held: Socket) => !!held.hold('forgotten')) as never);
    expect((await acquire(pool)).socket).not.toBe(socket);
    expect(socket.readyState).not.toBe('closed');
  });

  test('replaces the connection if it takes longer than validateTimeout', async () => {
    let left = false;
    const hangs = new Observable<boolean>(() => () => {
      left = true;
    });
    const { pool, clock, socket } = await asked((() => hangs) as never, { validateTimeout: 500 });
    const next = acquire(pool);
    clock.tick(499);
    await turns();
    expect([pool.waiting, left]).toEqual([1, false]);
    clock.tick(1);
    expect(left).toBe(true);
    expect((await next).socket).not.toBe(socket);
  });

  test.each([
    ['by FIN', (peer: { end(): void }) => peer.end()],
    ['by a reset', (peer: { resetAndDestroy(): void }) => peer.resetAndDestroy()],
  ])('replaces a connection that the peer ends meanwhile, %s', async (_how, hangUp) => {
    const { pool, socket, peer } = await asked((() => NEVER) as never, { validateTimeout: 0 });
    const next = acquire(pool);
    hangUp(peer as never);
    expect((await next).socket).not.toBe(socket);
  });

  test('continues when the waiting user has left, and the connection is idle again', async () => {
    const verdict = new Subject<boolean>();
    const { pool, socket } = await asked((() => verdict) as never);
    record(pool.acquire()).subscription.unsubscribe();
    expect([pool.size, pool.idle]).toEqual([1, 0]);
    verdict.next(true);
    expect([pool.size, pool.idle]).toEqual([1, 1]);
    expect(socket.readyState).toBe('open');
  });
});

describe('close()', () => {
  test('fails the waiting acquires and later ones', async () => {
    const server = await rawServer();
    const { pool, clock } = poolOf(server.port, { max: 1 });
    await acquire(pool);
    const waiting = record(pool.acquire());
    void pool.close();
    expect(await waiting.ended).toMatchObject({ error: { name: 'PoolError', code: 'ERR_POOL_CLOSED' } });
    const late = record(pool.acquire().pipe(retry(2)));
    expect(late.log).toEqual([]);
    clock.tick(0);
    expect(await late.ended).toMatchObject({ error: { code: 'ERR_POOL_CLOSED' } });
  });

  test('closes idle connections now and lent ones when they are released, and resolves when all are closed', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port);
    const [used, idle] = [await acquire(pool), await acquire(pool)];
    const [usedPeer, idlePeer] = [await server.next(), await server.next()];
    idle.release();
    await turns(1);
    let closed = false;
    const closing = pool.close().then(() => {
      closed = true;
    });
    expect((await drainRaw(idlePeer)).end).toBe('end');
    idlePeer.end();
    await turns();
    expect([closed, used.socket.readyState]).toEqual([false, 'open']);
    used.release();
    expect((await drainRaw(usedPeer)).end).toBe('end');
    expect([pool.size, pool.idle]).toEqual([0, 0]);
    await turns();
    expect(closed).toBe(false);
    usedPeer.end();
    await closing;
  });

  test('aborts what is left after drain milliseconds', async () => {
    const server = await rawServer();
    const { pool, clock } = poolOf(server.port);
    const { socket } = await acquire(pool);
    const closing = pool.close({ drain: 500 });
    clock.tick(499);
    expect(socket.readyState).toBe('open');
    clock.tick(1);
    await closing;
    expect((await drainRaw(await server.next())).end).toBe('ECONNRESET');
  });

  test('closes idle connections gracefully, also as a disposable', async () => {
    const server = await rawServer((peer) => peer.on('end', () => peer.end()).resume());
    let socket: Socket;
    {
      await using pool = poolOf(server.port).pool;
      const acquired = await acquire(pool);
      socket = acquired.socket;
      acquired.release();
      await expect.poll(() => pool.idle).toBe(1);
    }
    expect(socket.readyState).toBe('closed');
    expect(await socket.close()).toMatchObject({ by: 'local', how: 'fin' });
  });

  test('with drain 0 aborts all connections at once', async () => {
    const server = await rawServer();
    const { pool } = poolOf(server.port);
    const { socket } = await acquire(pool);
    const { ended } = record(socket.pipe(on('close')));
    await pool.close({ drain: 0 });
    await ended;
    expect((await drainRaw(await server.next())).end).toBe('ECONNRESET');
  });

  test('gives up connections that are being dialled or validated', async () => {
    const server = await rawServer();
    const slow = poolOf(1, {}, { host: 'slow.example', lookup: () => {} });
    const dialling = record(slow.pool.acquire());
    await slow.pool.close({ drain: Number.POSITIVE_INFINITY });
    expect(await dialling.ended).toMatchObject({ error: { code: 'ERR_POOL_CLOSED' } });
    const { pool, clock } = poolOf(server.port, { validate: () => NEVER });
    const acquired = await acquire(pool);
    acquired.release();
    await turns(1);
    const asking = record(pool.acquire());
    const closing = pool.close();
    const peer = await server.next();
    peer.end();
    await closing;
    expect(await asking.ended).toMatchObject({ error: { code: 'ERR_POOL_CLOSED' } });
    expect(clock.actions.filter(({ closed }) => !closed)).toEqual([]);
  });
});
