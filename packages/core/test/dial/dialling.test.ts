// What starts a dial, which attempt opens the socket, and what happens when a dial fails or is cancelled.
import type { LookupFunction } from 'node:net';
import { ConnectError, type ConnectOptions, connect, data, SocketError, SocketTimeoutError } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { defer, retry } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { closedPort, dial, drainRaw, opened, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { hanging } from '../support/dials.js';

describe('a socket dials lazily', () => {
  test('neither connect() nor next() dials', async () => {
    const looked = vi.fn();
    const socket = dial({ port: 1, host: 'somewhere', lookup: looked });
    socket.next('a');
    await new Promise((resolve) => setImmediate(resolve));
    expect(socket.readyState).toBe('idle');
    expect(looked).not.toHaveBeenCalled();
  });

  test.each([
    ['a subscription', (socket: ReturnType<typeof dial>) => void socket.subscribe({ error: () => {} })],
    ['write()', (socket: ReturnType<typeof dial>) => void socket.write('a')],
    ['complete()', (socket: ReturnType<typeof dial>) => socket.complete()],
    [
      'close() after next()',
      (socket: ReturnType<typeof dial>) => {
        socket.next('a');
        void socket.close();
      },
    ],
  ])('%s dials once', (_name, run) => {
    const looked = vi.fn();
    const socket = dial({ port: 1, host: 'somewhere', lookup: looked });
    run(socket);
    run(socket);
    expect(looked).toHaveBeenCalledTimes(1);
    expect(socket.readyState).toBe('resolving');
  });

  test.each([
    ['a name', 'localhost', 'resolving'],
    ['an address', '127.0.0.1', 'connecting'],
  ])('%s is %s: %s', async (_what, host, state) => {
    const server = await rawServer();
    const socket = dial({ port: server.port, host });
    expect([socket.readyState, socket.type]).toEqual(['idle', 'tcp']);
    record(socket);
    expect(socket.readyState).toBe(state);
  });

  test('a NUL in a name is rejected: the system would look up what is before it', () => {
    expect(() => connect({ port: 1, host: '127.0.0.1\0.example.com' })).toThrow(
      new TypeError("host must be a string without NUL characters, not '127.0.0.1\\x00.example.com'"),
    );
  });

  test('close() does not dial if nothing was written', async () => {
    const looked = vi.fn();
    const socket = dial({ port: 1, host: 'somewhere', lookup: looked });
    expect(await socket.close()).toMatchObject({ by: 'local', how: 'fin', bytesWritten: 0, duration: 0 });
    expect(socket.readyState).toBe('closed');
    expect(looked).not.toHaveBeenCalled();
  });

  test('all subscribers share one connection', async () => {
    const server = await rawServer((peer) => peer.end());
    const socket = dial({ port: server.port });
    await Promise.all([record(socket).ended, record(socket).ended, socket.close()]);
    expect(server.peers).toHaveLength(1);
  });

  test('what was written before and while dialling arrives in order', async () => {
    const server = await rawServer();
    const { lookup, answer } = hanging();
    const socket = dial({ port: server.port, host: 'somewhere', lookup });
    socket.next('a');
    void socket.write('b');
    socket.next('c');
    expect(socket.writableLength).toBe(3);
    socket.complete();
    answer('127.0.0.1');
    expect((await drainRaw(await server.next())).bytes.toString()).toBe('abc');
  });
});

describe('dialling again', () => {
  test('works with defer() and retry()', async () => {
    let left = 2;
    const server = await rawServer((peer) => (left-- > 0 ? peer.resetAndDestroy() : peer.end('third')));
    const bytes = record(defer(() => dial({ port: server.port }).pipe(data())).pipe(retry(5)));
    expect(await bytes.ended).toEqual({});
    expect(bytes.log).toEqual(['third', 'complete']);
    expect(server.peers).toHaveLength(3);
  });

  test('retry() of the same socket never spins', async () => {
    const socket = dial({ port: await closedPort() });
    let turns = 0;
    await record(defer(() => socket).pipe(retry({ count: 3, delay: () => [++turns] }))).ended;
    expect(turns).toBe(3);
    let sync = true;
    const late = record(socket);
    late.ended.then(() => expect(sync).toBe(false));
    sync = false;
    await late.ended;
  });
});

describe('a failed dial', () => {
  test('reports every attempt if the connection is refused', async () => {
    const port = await closedPort();
    const { error } = await record(dial({ port })).ended;
    expect(error).toBeInstanceOf(ConnectError);
    const attempts = [{ address: '127.0.0.1', port, code: 'ECONNREFUSED' }];
    expect(error).toMatchObject({ code: 'ECONNREFUSED', phase: 'open', attempts });
  });

  test('reports a name that does not resolve', async () => {
    const cause = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    const lookup: LookupFunction = (_host, _options, done) => setImmediate(() => done(cause, []));
    const socket = dial({ port: 1, host: 'somewhere', lookup });
    const { error } = await record(socket).ended;
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ code: 'ENOTFOUND', attempts: [], cause });
    await expect(socket.write('a')).rejects.toBe(error);
  });

  test('reports a lookup that throws', async () => {
    const lookup = () => {
      throw Object.assign(new Error('broken'), { code: 'EBROKEN' });
    };
    const { error } = await record(dial({ port: 1, host: 'somewhere', lookup })).ended;
    expect(error).toMatchObject({ name: 'ConnectError', code: 'EBROKEN' });
  });

  test.each([
    [undefined, /undefined was given in place of an Error$/],
    [null, /null was given in place of an Error$/],
    ['', /'' was given in place of an Error$/],
    ['no such name', /: no such name$/],
    [{ code: 'EBROKEN' }, /\{ code: 'EBROKEN' \} was given in place of an Error$/],
    [{ message: 'broken' }, /: broken$/],
  ])('reports a lookup that gives %o in place of an error', async (given, message) => {
    const throws = () => {
      throw given;
    };
    const answers = ((_host, _options, done) => done(given as never, [])) as LookupFunction;
    for (const lookup of given ? [throws, answers] : [throws]) {
      const socket = dial({ port: 1, host: 'somewhere', lookup });
      const { error } = await record(socket).ended;
      expect(error).toMatchObject({ name: 'ConnectError', phase: 'open', message: expect.stringMatching(message) });
      const code = typeof given === 'object' && given && 'code' in given ? given.code : 'EIO';
      expect(error).toMatchObject({ code });
    }
  });

  test.each<[string, () => Promise<Partial<ConnectOptions>>, string, RegExp]>([
    [
      'a localAddress that this host does not have',
      async () => ({ localAddress: '192.0.2.1' }),
      'EADDRNOTAVAIL',
      /localAddress 192\.0\.2\.1 is not an address of this host/,
    ],
    [
      'a localPort in use',
      async () => ({ localAddress: '127.0.0.1', localPort: (await rawServer()).port }),
      'EADDRINUSE',
      /localPort \d+ is in use/,
    ],
    [
      'a localAddress of another family than the host',
      async () => ({ localAddress: '::1' }),
      'ENOTFOUND',
      /no IPv6 address, and localAddress ::1 can connect to no other/,
    ],
  ])('blames this side for %s', async (_what, options, code, message) => {
    const { port } = await rawServer();
    const { error } = await record(dial({ port, ...(await options()) })).ended;
    expect(error).toMatchObject({ name: 'ConnectError', code, message: expect.stringMatching(message) });
  });

  test('ends after connectTimeout', async () => {
    const scheduler = new VirtualClock();
    const socket = dial({ port: 1, host: 'somewhere', lookup: hanging().lookup, connectTimeout: 1000, scheduler });
    const { log, ended } = record(socket);
    scheduler.tick(999);
    expect(log).toEqual([]);
    scheduler.tick(1);
    const { error } = await ended;
    expect(error).toBeInstanceOf(SocketTimeoutError);
    expect(error).toMatchObject({ code: 'ETIMEDOUT', phase: 'open', timeout: 'connectTimeout', milliseconds: 1000 });
    expect(log).toEqual(['close', 'error:ETIMEDOUT']);
  });

  test('rejects pending writes with the reason', async () => {
    const socket = dial({ port: await closedPort() });
    const writes = [socket.write('a'), socket.write('b')];
    for (const write of writes) await expect(write).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await socket.close()).toMatchObject({ how: 'error', bytesWritten: 0, bytesUnsent: 2, duration: 0 });
  });

  test.each([
    { port: -1 },
    { port: 65_536 },
    { port: 1.5 },
    { port: 1, connectTimeout: -1 },
    { port: 1, attemptDelay: Number.POSITIVE_INFINITY },
    { port: 1, highWaterMark: Number.NaN },
    { port: 1, keepOpen: -5 },
  ])('rejects %o at the call', (options) => {
    expect(() => connect(options)).toThrow(RangeError);
  });

  test.each([
    { port: '80' },
    { port: 1, idleTimeout: '5s' as unknown as number },
    { port: 1, localAddress: 'nonsense' },
    { port: 1, host: '' },
  ])('rejects %o at the call: it is of the wrong type', (options) => {
    expect(() => connect(options)).toThrow(TypeError);
  });
});

describe('unsubscribing while dialling', () => {
  test('gives the dial up if there is nothing to write', async () => {
    const server = await rawServer();
    const { lookup, answer } = hanging();
    const socket = dial({ port: server.port, host: 'somewhere', lookup });
    record(socket).subscription.unsubscribe();
    expect(socket.readyState).toBe('resolving');
    await expect.poll(() => socket.readyState).toBe('closed');
    answer('127.0.0.1');
    expect((await record(socket).ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED', phase: 'open' });
    expect(server.peers).toHaveLength(0);
  });

  test('continues the dial if there is something to write', async () => {
    const server = await rawServer();
    const { lookup, answer } = hanging();
    const socket = dial({ port: server.port, host: 'somewhere', lookup });
    socket.next('abc');
    record(socket).subscription.unsubscribe();
    await new Promise((resolve) => setTimeout(resolve, 5));
    answer('127.0.0.1');
    const peer = await server.next();
    expect(await drainRaw(peer)).toMatchObject({ bytes: Buffer.from('abc'), end: 'end' });
    peer.end();
  });

  test('continues the dial if it is subscribed again in the same turn', async () => {
    const server = await rawServer((peer) => peer.end('x'));
    const socket = dial({ port: server.port });
    record(socket).subscription.unsubscribe();
    expect(await record(socket).ended).toEqual({});
    expect(server.peers).toHaveLength(1);
  });
});

describe('signal', () => {
  const reason = new Error('enough');

  test('aborted before: the socket does not dial', async () => {
    const lookup = vi.fn();
    const socket = dial({ port: 1, host: 'somewhere', lookup, signal: AbortSignal.abort(reason) });
    const { log, ended } = record(socket);
    expect(log).toEqual([]);
    const { error } = await ended;
    expect(error).toMatchObject({ name: 'AbortedError', cause: reason, phase: 'open' });
    expect(lookup).not.toHaveBeenCalled();
    await expect(socket.write('a')).rejects.toBe(error);
  });

  test('aborted while dialling: the dial is given up', async () => {
    const abort = new AbortController();
    const socket = dial({ port: 1, host: 'somewhere', lookup: hanging().lookup, signal: abort.signal });
    const { ended } = record(socket);
    const write = socket.write('a');
    abort.abort(reason);
    const { error } = await ended;
    expect(error).toMatchObject({ name: 'AbortedError', cause: reason, phase: 'open' });
    await expect(write).rejects.toBe(error);
  });

  test('aborted when open: the peer sees a reset', async () => {
    const server = await rawServer();
    const abort = new AbortController();
    const socket = dial({ port: server.port, signal: abort.signal });
    const { log, ended } = record(socket);
    const [peer] = await Promise.all([server.next(), opened(socket)]);
    abort.abort(reason);
    expect((await ended).error).toBeInstanceOf(SocketError);
    expect(log.slice(-2)).toEqual(['close', 'error:ERR_SOCKET_ABORTED']);
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
  });

  test('has no listener left at the end', async () => {
    const server = await rawServer((peer) => peer.end());
    const abort = new AbortController();
    const remove = vi.spyOn(abort.signal, 'removeEventListener');
    await record(dial({ port: server.port, signal: abort.signal })).ended;
    expect(remove).toHaveBeenCalledTimes(1);
    abort.abort();
  });
});
