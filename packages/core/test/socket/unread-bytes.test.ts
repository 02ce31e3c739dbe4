// Bytes that a reader gives back wait for the next reader, whenever it comes: also after both sides have ended.
import { data, lines, listen, reader, serve } from '@rxsock/core';
import { firstValueFrom, from, lastValueFrom, type Observable, Subject, takeUntil, timeout, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { Clock } from '../../../../tests/support/clock.js';
import { drainRaw, pair, rawClient } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';

const all = <T>(source: Parameters<typeof lastValueFrom<T>>[0]) => lastValueFrom(source.pipe(toArray()));

/** Ways to leave in the middle of a line. Each subscribes, and returns a function that leaves. */
const ways: [string, (source: Observable<string>) => () => void][] = [
  [
    'unsubscribing',
    (source) => {
      const subscription = source.subscribe();
      return () => subscription.unsubscribe();
    },
  ],
  [
    'takeUntil()',
    (source) => {
      const end = new Subject<void>();
      source.pipe(takeUntil(end)).subscribe();
      return () => end.next();
    },
  ],
  [
    'timeout()',
    (source) => {
      const scheduler = new Clock();
      source.pipe(timeout({ first: 30, scheduler })).subscribe({ error: () => {} });
      return () => scheduler.pass(30);
    },
  ],
];

test.each(ways)(
  'a reader that comes many turns after %s starts where the last one stopped',
  async (_how, subscribe) => {
    const { socket, peer } = await pair({ keepOpen: true });
    const leave = subscribe(socket.pipe(data(), lines()));
    peer.write('hello wor');
    await expect.poll(() => socket.bytesRead).toBe(9);
    leave();
    await turns();
    peer.end('ld\nsecond\n');
    await turns();
    expect(await all(socket.pipe(data(), lines()))).toEqual(['hello world', 'second']);
  },
);

test('readers inside serve() can follow each other at any distance', async () => {
  const server = listen();
  const handler = async (socket: Parameters<Parameters<typeof serve>[0]>[0]) => {
    await firstValueFrom(socket.pipe(data(), lines(), timeout(20))).catch(() => {});
    await turns();
    return `got ${(await all(socket.pipe(data(), lines()))).join('|')}`;
  };
  const { values } = record(server.pipe(serve((socket) => from(handler(socket).then((text) => text)))));
  await expect.poll(() => server.address).toBeDefined();
  const client = await rawClient(server.address?.port ?? 0);
  client.write('hello wor');
  setTimeout(() => client.end('ld\nsecond\n'), 60);
  expect((await drainRaw(client)).bytes.toString()).toBe('got hello world|second');
  expect(values.map(({ type }) => type)).not.toContain('connectionError');
  await server.close({ drain: 0 });
});

test('bytes given back after both sides have ended are there for the next reader', async () => {
  const { socket, peer } = await pair({ keepOpen: true, allowHalfOpen: true });
  peer.end('abc');
  socket.complete();
  const first = reader(socket);
  await expect(first.read(8)).rejects.toMatchObject({ code: 'ERR_FRAME_TRUNCATED' });
  await expect.poll(() => socket.readyState).toBe('closed');
  first.release();
  await turns();
  const { log, ended } = record(socket.pipe(data()));
  expect(await ended).toEqual({});
  expect(log).toEqual(['abc', 'complete']);
  // Once: they are read now.
  expect((await record(socket.pipe(data())).ended).error).toBeUndefined();
});

test('what the peer sent before a reset waits for a reader that comes after it', async () => {
  const { socket, peer } = await pair({ keepOpen: true });
  const first = socket.pipe(data(), lines()).subscribe({ error: () => {} });
  peer.write('a\nrest');
  await expect.poll(() => socket.bytesRead).toBe(6);
  first.unsubscribe();
  peer.resetAndDestroy();
  await expect.poll(() => socket.readyState).toBe('closed');
  const { log, ended } = record(socket.pipe(data()));
  expect((await ended).error).toMatchObject({ code: 'ECONNRESET' });
  expect(log).toEqual(['rest', 'error:ECONNRESET']);
});

test('a reader that stays goes on after bytes that only another reader has given back', async () => {
  const { socket, peer } = await pair();
  const staying = record(socket.pipe(data()));
  const leaving = socket.pipe(data(), lines()).subscribe();
  peer.write('one\ntw');
  await expect.poll(() => staying.values.length).toBe(1);
  leaving.unsubscribe();
  peer.write('o\n');
  await expect.poll(() => Buffer.concat(staying.values).toString()).toBe('one\ntwo\n');
});
