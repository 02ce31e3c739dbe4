// The events of a socket: what it emits, to which subscribers, and in which order.
import { type CloseReport, on, type SocketEvent } from '@rxsock/core';
import { config, lastValueFrom, Observable, Subscriber, take, toArray } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { accepted, dial, drainRaw, pair, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

describe('order', () => {
  test('connect, data, end, finish, close, completion', async () => {
    const server = await rawServer((peer) => peer.end('hello'));
    const { log, ended } = record(dial({ port: server.port }));
    expect(await ended).toEqual({});
    expect(log.filter((name) => name !== 'data')).toEqual([
      'connectionAttempt',
      'connect',
      'end',
      'finish',
      'close',
      'complete',
    ]);
    expect(log.indexOf('data')).toBeGreaterThan(log.indexOf('connect'));
    expect(log.lastIndexOf('data')).toBeLessThan(log.indexOf('end'));
  });

  test('finish, the late reply, end, close, after our FIN', async () => {
    const { socket, peer } = await pair();
    const { log, ended } = record(socket);
    socket.complete();
    expect((await drainRaw(peer)).end).toBe('end');
    peer.end('late');
    await ended;
    expect(log).toEqual(['connect', 'finish', 'data', 'end', 'close', 'complete']);
  });

  test('close, then the error, and nothing else after a reset', async () => {
    const { socket, peer } = await pair();
    const { log, ended } = record(socket);
    peer.resetAndDestroy();
    await ended;
    expect(log).toEqual(['connect', 'close', 'error:ECONNRESET']);
  });

  test('data of a reset connection comes before its error', async () => {
    const { socket, peer } = await pair();
    const { values, log, ended } = record(socket);
    peer.write('abc', () => peer.resetAndDestroy());
    await ended;
    expect(log).toEqual(['connect', 'data', 'close', 'error:ECONNRESET']);
    expect(values[1]).toMatchObject({ data: Buffer.from('abc') });
  });

  test('connect carries both endpoints', async () => {
    const { socket, peer } = await pair();
    const { values } = record(socket);
    expect(values[0]).toEqual({
      type: 'connect',
      local: { address: '127.0.0.1', port: peer.remotePort, family: 'IPv4' },
      remote: { address: '127.0.0.1', port: peer.localPort, family: 'IPv4' },
    });
  });

  test('every subscriber gets every byte', async () => {
    const { socket, peer } = await pair();
    const recordings = [record(socket), record(socket), record(socket)];
    peer.end('abc');
    for (const { values, ended } of recordings) {
      await ended;
      const bytes = values.flatMap((event) => (event.type === 'data' ? [event.data] : []));
      expect(Buffer.concat(bytes).toString()).toBe('abc');
    }
  });
});

describe('a late subscriber', () => {
  test('gets connect, end and finish again, in their order', async () => {
    const { socket, peer } = await pair({ allowHalfOpen: true });
    const first = record(socket);
    peer.end();
    await lastValueFrom(socket.pipe(on('end'), take(1)));
    expect(record(socket).log).toEqual(['connect', 'end']);
    expect(record(socket.pipe(on('end'))).log).toEqual(['end']);
    socket.complete();
    await first.ended;
    expect(first.log).toEqual(['connect', 'end', 'finish', 'close', 'complete']);
  });

  test('after the end gets close and completion on a later turn', async () => {
    const { socket, peer } = await pair();
    peer.end();
    await record(socket).ended;
    const late = record(socket);
    expect(late.log).toEqual(['connect', 'end', 'finish']);
    await Promise.resolve();
    expect(late.log).not.toContain('close');
    await late.ended;
    expect(late.log).toEqual(['connect', 'end', 'finish', 'close', 'complete']);
  });

  test('after a failure gets close and the same error on a later turn', async () => {
    const { socket, peer } = await pair();
    const first = record(socket);
    peer.resetAndDestroy();
    const { error } = await first.ended;
    const late = record(socket);
    expect(late.log).toEqual(['connect']);
    expect(await late.ended).toEqual({ error });
    expect(late.log).toEqual(['connect', 'close', 'error:ECONNRESET']);
  });

  test('that leaves before that turn gets nothing', async () => {
    const { socket, peer } = await pair();
    peer.resetAndDestroy();
    await record(socket).ended;
    const left = record(socket);
    left.subscription.unsubscribe();
    await record(socket).ended;
    expect(left.log).toEqual(['connect']);
  });
});

describe('on()', () => {
  test('completes without an error where the socket fails', async () => {
    const { socket, peer } = await pair();
    const watcher = record(socket.pipe(on('close')));
    const reader = record(socket);
    peer.resetAndDestroy();
    expect(await watcher.ended).toEqual({});
    expect(watcher.log).toEqual(['close', 'complete']);
    expect((await reader.ended).error).toMatchObject({ code: 'ECONNRESET' });
  });

  test("fails with the socket if it asks for 'data', which reads", async () => {
    const { socket, peer } = await pair();
    const { log, ended } = record(socket.pipe(on('data')));
    peer.write('abc', () => peer.resetAndDestroy());
    await ended;
    expect(log).toEqual(['data', 'error:ECONNRESET']);
  });
});

test('an accepted socket is open from the beginning', async () => {
  const { socket, peer } = await accepted();
  expect(socket.readyState).toBe('open');
  const { log, ended } = record(socket);
  expect(log).toEqual(['connect']);
  peer.end('abc');
  peer.resume();
  await ended;
  expect(log).toEqual(['connect', 'data', 'end', 'finish', 'close', 'complete']);
});

test('close carries a report of the connection', async () => {
  const { socket, peer } = await pair();
  const reports = lastValueFrom(socket.pipe(on('close'), toArray()));
  socket.subscribe();
  socket.next('four');
  peer.end('seven..');
  peer.resume();
  const expected: Partial<CloseReport> = { by: 'peer', how: 'fin', bytesRead: 7, bytesWritten: 4, bytesUnsent: 0 };
  expect(await reports).toEqual([{ type: 'close', report: expect.objectContaining(expected) }]);
});

test('a subscriber that throws at an event harms neither others nor the socket', async () => {
  const unhandled = vi.fn();
  config.onUnhandledError = unhandled;
  onTestFinished(() => {
    config.onUnhandledError = null;
  });
  const { socket, peer } = await pair();
  class Throwing extends Subscriber<SocketEvent> {
    override next(): void {
      throw new Error('next');
    }
  }
  socket.subscribe(new Throwing());
  const { log, ended } = record(socket);
  peer.end('hello');
  expect(await ended).toEqual({});
  expect(log).toEqual(['connect', 'data', 'end', 'finish', 'close', 'complete']);
  await expect.poll(() => unhandled.mock.calls.length).toBeGreaterThan(1);
});

test('a subscriber whose teardown throws harms neither others nor the socket', async () => {
  const unhandled = vi.fn();
  config.onUnhandledError = unhandled;
  onTestFinished(() => {
    config.onUnhandledError = null;
  });
  const { socket, peer } = await pair();
  const throwing = new Observable<SocketEvent>((subscriber) => {
    socket.subscribe(subscriber);
    return () => {
      throw new Error('teardown');
    };
  });
  throwing.subscribe();
  const { log, ended } = record(socket);
  const closed = socket.close();
  peer.end('hello');
  expect(await ended).toEqual({});
  expect(log).toEqual(expect.arrayContaining(['data', 'end', 'finish']));
  expect(log.slice(-2)).toEqual(['close', 'complete']);
  expect(await closed).toMatchObject({ how: 'fin' });
  // Sockets of earlier tests are aborted when those are over, and may report that late.
  const ofTeardown = () => unhandled.mock.calls.filter(([error]) => String(error).includes('teardown'));
  await expect.poll(() => ofTeardown().length).toBe(1);
});
