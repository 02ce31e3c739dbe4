// Bytes that a reader gives back wait for the next reader, whenever it comes: also after both sides have ended.
import { data, lines, listen, on, reader, type Socket, serve } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import {
  firstValueFrom,
  from,
  lastValueFrom,
  type Observable,
  Subject,
  startWith,
  switchMap,
  take,
  takeUntil,
  tap,
  timeout,
  toArray,
} from 'rxjs';
import { expect, test } from 'vitest';
import { drainRaw, pair, rawClient } from '../../../../tests/support/raw-peers.js';
import { type Recording, record } from '../../../../tests/support/record.js';
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
      const scheduler = new VirtualClock();
      source.pipe(timeout({ first: 30, scheduler })).subscribe({ error: () => {} });
      return () => scheduler.tick(30);
    },
  ],
];

test('a reader that leaves while another one receives a chunk gives that chunk back too', async () => {
  const { socket, peer } = await pair({ keepOpen: true });
  let next: Recording<Buffer> | undefined;
  const exchange = () => {
    if (socket.bytesRead === 5) return;
    leaves.subscription.unsubscribe();
    next ??= record(socket.pipe(data()));
  };
  const stays = record(socket.pipe(data(), tap(exchange)));
  const leaves = record(socket.pipe(data(), lines()));
  peer.write('half-');
  await expect.poll(() => socket.bytesRead).toBe(5);
  peer.write('a line\nnext\n');
  await expect.poll(() => socket.bytesRead).toBe(17);
  peer.end('more\n');
  await stays.ended;
  expect(leaves.log).toEqual([]);
  for (const reader of [stays, next])
    expect(Buffer.concat(reader!.values).toString()).toBe('half-a line\nnext\nmore\n');
});

test('nothing comes back after an abort, also while a chunk is received', async () => {
  const { socket, peer } = await pair({ keepOpen: true });
  const abort = tap(() => {
    if (socket.bytesRead === 5) return;
    socket.error();
    leaves.subscription.unsubscribe();
    expect(socket.readableLength).toBe(0);
  });
  const stays = record(socket.pipe(data(), abort));
  const leaves = record(socket.pipe(data(), lines()));
  peer.write('half-');
  await expect.poll(() => socket.bytesRead).toBe(5);
  peer.write('a line\n');
  expect((await stays.ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
});

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

/** A socket whose peer has sent several chunks and has ended, or has reset the connection. Nobody has read them. */
async function closedWithRest(how: 'end' | 'resetAndDestroy', ...chunks: string[]): Promise<Socket> {
  const { socket, peer } = await pair({ keepOpen: true });
  socket.complete();
  // Large enough not to be joined with the one before.
  for (const chunk of chunks) {
    const { bytesRead } = socket;
    peer.write(chunk);
    await expect.poll(() => socket.bytesRead).toBe(bytesRead + chunk.length);
  }
  peer.resume();
  peer[how]();
  await expect.poll(() => socket.readyState).toBe('closed');
  return socket;
}

test.each(['end', 'resetAndDestroy'] as const)(
  'after the close by %s, a reader that leaves early leaves the rest to the next ones',
  async (how) => {
    const [first, second, third] = ['a', 'b', 'c'].map((letter) => letter.repeat(600));
    const socket = await closedWithRest(how, `${first}\n${second}\n`, `${third}\n`);
    const line = () => firstValueFrom(socket.pipe(data(), lines()));
    expect([await line(), await line(), await line()]).toEqual([first, second, third]);
    const { ended } = record(socket.pipe(data()));
    expect(await ended).toEqual(how === 'end' ? {} : { error: expect.objectContaining({ code: 'ECONNRESET' }) });
  },
);

test('a reader that stays receives the end once, although another one receives it after bytes given back', async () => {
  const { socket, peer } = await pair({ keepOpen: true, allowHalfOpen: true });
  const staying = record(socket);
  peer.end('abc');
  await expect.poll(() => staying.log).toContain('end');
  socket.unshift(Buffer.from('c'));
  const other = record(socket.pipe(data()));
  await other.ended;
  expect(other.log).toEqual(['c', 'complete']);
  expect(staying.log.filter((type) => type === 'end')).toHaveLength(1);
});

test('a reset that was received during a hold leaves the rest to a reader that comes in the turn of the release', async () => {
  const { socket, peer } = await pair({ keepOpen: true });
  const release = socket.hold();
  const first = firstValueFrom(socket.pipe(data(), lines()));
  peer.write('a\nrest');
  await expect.poll(() => socket.bytesRead).toBe(6);
  peer.resetAndDestroy();
  await expect.poll(() => socket.readyState).toBe('closing');
  release();
  expect(await first).toBe('a');
  const { log, ended } = record(socket.pipe(data()));
  await ended;
  expect(log).toEqual(['rest', 'error:ECONNRESET']);
});

test('after the close, a reader that comes while another one receives gets what that one gives back', async () => {
  const socket = await closedWithRest('end', 'one\ntwo\nthree\n');
  const rest = (line: string) => socket.pipe(data(), lines(), startWith(line));
  expect(await all(socket.pipe(data(), lines(), take(1), switchMap(rest)))).toEqual(['one', 'two', 'three']);
});

test('after a reset, what a reader has read and gives back comes before the error', async () => {
  const { socket, peer } = await pair({ keepOpen: true });
  const input = reader(socket);
  peer.resume().write('one\ntwo\n');
  expect(await input.readLine()).toBe('one');
  peer.resetAndDestroy();
  await expect.poll(() => socket.readyState).toBe('closed');
  input.release();
  const { values, ended } = record(socket.pipe(data(), lines()));
  expect(await ended).toEqual({ error: expect.objectContaining({ code: 'ECONNRESET' }) });
  expect(values).toEqual(['two']);
});

test('bytes that a framing operator and a reader() both give back are delivered once', async () => {
  const { socket, peer } = await pair({ keepOpen: true });
  const input = reader(socket);
  const first = Promise.all([firstValueFrom(socket.pipe(data(), lines())), input.readLine()]);
  peer.write('a\nb\nc\n');
  expect(await first).toEqual(['a', 'a']);
  input.release();
  peer.end('d\n');
  expect(await all(socket.pipe(data(), lines()))).toEqual(['b', 'c', 'd']);
});

test("on('end') of a closed socket emits, although bytes still wait", async () => {
  const socket = await closedWithRest('end', 'abc');
  expect(await firstValueFrom(socket.pipe(on('end')))).toEqual({ type: 'end' });
  expect(String(await firstValueFrom(socket.pipe(data())))).toBe('abc');
});
