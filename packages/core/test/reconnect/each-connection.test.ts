// ReconnectingSocket.eachConnection(): a pipeline of its own for each connection.
import {
  data,
  decodeText,
  FrameError,
  lengthPrefixed,
  lines,
  mapWithBackpressure,
  type ReconnectEvent,
  SocketError,
  SocketTimeoutError,
  toAsyncIterable,
} from '@rxsock/core';
import { map, mergeMap, type OperatorFunction, Subject, share, take, throwError, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { linkTo, tell } from '../support/reconnecting.js';

test.each([
  ['a reset', (peer: { resetAndDestroy(): void }) => peer.resetAndDestroy()],
  ['FIN', (peer: { end(): void }) => peer.end()],
])('a frame that %s cuts is dropped, and the next connection begins anew', async (_how, cut) => {
  const server = await rawServer();
  const test = linkTo(server.port);
  const { values } = record(
    test.link.eachConnection((bytes) => bytes.pipe(lengthPrefixed({ lengthField: 1 }), map(String))),
  );
  const { told } = tell(test);
  const first = await server.next();
  first.write('\x03one\x05tw');
  await expect.poll(() => values).toEqual(['one']);
  await expect.poll(() => test.link.socket?.bytesRead).toBe(7);
  cut(first as never);
  await expect.poll(told).toContain('retry');
  test.clock.pass(100);
  (await server.next()).write('\x05three');
  await expect.poll(() => values).toEqual(['one', 'three']);
});

test('an unterminated last line is given at FIN, as trailing says, and dropped at a reset', async () => {
  const server = await rawServer();
  const test = linkTo(server.port);
  const emitted = record(test.link.eachConnection(lines()));
  const dropped = record(test.link.eachConnection(lines({ trailing: 'drop' })));
  (await server.next()).end('a\nb');
  await expect.poll(() => emitted.values).toEqual(['a', 'b']);
  await expect.poll(() => test.link.readyState).toBe('waiting');
  test.clock.pass(100);
  const second = await server.next();
  second.write('c\nd');
  await expect.poll(() => test.link.socket?.bytesRead).toBe(3);
  second.resetAndDestroy();
  await expect.poll(() => test.link.readyState).toBe('waiting');
  expect(emitted.values).toEqual(['a', 'b', 'c']);
  expect(dropped.values).toEqual(['a', 'c']);
});

test('a frame that makes no sense aborts its connection, and the link makes another', async () => {
  const server = await rawServer();
  const test = linkTo(server.port);
  const { values, log } = record(test.link.eachConnection(lines({ maxLength: 3 })));
  const events = tell(test);
  (await server.next()).write('one\ntoo long\nlost\n');
  await expect.poll(events.told).toContain('retry');
  expect((events.values as ReconnectEvent[]).find(({ type }) => type === 'disconnect')).toMatchObject({
    error: { code: 'ERR_SOCKET_ABORTED', cause: { code: 'ERR_FRAME_TOO_LONG' } },
  });
  test.clock.pass(100);
  (await server.next()).write('two\n');
  await expect.poll(() => values).toEqual(['one', 'two']);
  expect(log).toEqual(['one', 'two']);
});

test('so does one that does not come to its end in time', async () => {
  const server = await rawServer();
  const test = linkTo(server.port);
  const { clock } = test;
  const { log } = record(test.link.eachConnection(lines({ frameTimeout: 50, scheduler: clock })));
  const events = tell(test);
  (await server.next()).write('never ends');
  await expect.poll(events.told).toContain('data');
  clock.pass(50);
  await expect.poll(events.told).toContain('retry');
  expect((events.values as ReconnectEvent[]).find(({ type }) => type === 'disconnect')).toMatchObject({
    error: { code: 'ERR_SOCKET_ABORTED', cause: { timeout: 'frameTimeout' } },
  });
  expect(log).toEqual([]);
});

test.each([
  ['another socket', new SocketError('another', { code: 'ECONNREFUSED', phase: 'open' })],
  ['an encoder', new FrameError('refused', { phase: 'write' })],
  ['another time limit', new SocketTimeoutError('late', { phase: 'read', timeout: 'mine', milliseconds: 1 })],
])('what a pipeline has from %s is passed on, and the connection goes on', async (_what, error) => {
  const server = await rawServer();
  const test = linkTo(server.port);
  const { told } = tell(test);
  const { ended } = record(test.link.eachConnection((bytes) => bytes.pipe(mergeMap(() => throwError(() => error)))));
  (await server.next()).write('x');
  expect(await ended).toEqual({ error });
  expect(test.link.readyState).toBe('open');
  expect(told()).toEqual(['connect', 'data']);
});

test('an error of the pipeline itself is passed on, and the link goes on for others', async () => {
  const server = await rawServer();
  const test = linkTo(server.port);
  const { ended } = record(
    test.link.eachConnection((bytes) =>
      bytes.pipe(
        map(() => {
          throw new Error('a bug');
        }),
      ),
    ),
  );
  const thrown = record(
    test.link.eachConnection(() => {
      throw new Error('another');
    }),
  );
  const { told } = tell(test);
  (await server.next()).write('x');
  expect(await thrown.ended).toEqual({ error: new Error('another') });
  expect(await ended).toEqual({ error: new Error('a bug') });
  expect(test.link.readyState).toBe('open');
  expect(told()).toEqual(['connect', 'data']);
});

test('completes and fails with the link, when the pipelines are done', async () => {
  const server = await rawServer();
  const test = linkTo(server.port, { maxRetries: 1 });
  const all = record(test.link.eachConnection((bytes) => bytes.pipe(map(String), toArray())));
  const { told } = tell(test);
  (await server.next()).end('abc');
  await expect.poll(told).toContain('retry');
  server.close();
  test.clock.pass(100);
  expect((await all.ended).error).toMatchObject({ code: 'ERR_RECONNECT_EXHAUSTED' });
  expect(all.values).toEqual([['abc']]);
  const other = linkTo((await rawServer((peer) => peer.end('x'))).port);
  const completed = record(other.link.eachConnection(toArray()));
  other.link.complete();
  expect(await completed.ended).toEqual({});
  expect(completed.log).toEqual(['x', 'complete']);
});

test('a slow consumer holds the connection, and the next one; frames come in order, none twice', async () => {
  const server = await rawServer();
  const test = linkTo(server.port);
  const gate = new Subject<void>();
  const slow = mapWithBackpressure(
    (line: string) =>
      gate.pipe(
        take(1),
        map(() => line),
      ),
    { highWaterMark: 2 },
  );
  const { values } = record(test.link.eachConnection(lines()).pipe(slow));
  const { told } = tell(test);
  const first = await server.next();
  first.write('1\n2\n3\n4\n5\n6');
  await expect.poll(() => test.link.holds).toEqual(['mapWithBackpressure']);
  first.resetAndDestroy();
  await expect.poll(told).toContain('retry');
  test.clock.pass(100);
  const second = await server.next();
  second.write('7\n8\n');
  for (let i = 0; i < 20; i++) second.write(Buffer.alloc(1_000_000, '9\n'));
  await expect.poll(() => test.link.socket?.bytesRead).toBeGreaterThan(0);
  await turns();
  expect(test.link.socket?.bytesRead).toBeLessThan(4 * 65_536);
  expect(values).toEqual([]);
  for (let line = 1; line <= 8; line++) gate.next();
  await expect.poll(() => values).toEqual(['1', '2', '3', '4', '5', '7', '8', '9']);
});

test('the end of the link comes after what a pipeline still holds back', async () => {
  const server = await rawServer();
  const test = linkTo(server.port, { maxRetries: 0 });
  const frames = toAsyncIterable(test.link.eachConnection(lines()), { highWaterMark: 2 })[Symbol.asyncIterator]();
  const first = frames.next();
  const events = tell(test);
  const peer = await server.next();
  const sent = Array.from({ length: 50 }, (_, index) => String(index));
  peer.write(`${sent.join('\n')}\n`);
  expect(await first).toEqual({ done: false, value: '0' });
  await expect.poll(() => test.link.holds).toHaveLength(1);
  peer.resetAndDestroy();
  await events.ended;
  for (const value of sent.slice(1)) expect(await frames.next()).toEqual({ done: false, value });
  await expect(frames.next()).rejects.toMatchObject({ code: 'ERR_RECONNECT_EXHAUSTED' });
});

test('what it gives stays holdable behind share()', async () => {
  const server = await rawServer();
  const test = linkTo(server.port);
  const gate = new Subject<void>();
  record(
    test.link.eachConnection(lines()).pipe(
      share(),
      mapWithBackpressure(() => gate, { highWaterMark: 2 }),
    ),
  );
  (await server.next()).write('1\n2\n3\n4\n5\n');
  await expect.poll(() => test.link.holds).toEqual(['mapWithBackpressure']);
});

test('leaving it leaves the link', async () => {
  const server = await rawServer();
  const test = linkTo(server.port);
  const { subscription, values } = record(test.link.eachConnection(lines()));
  (await server.next()).write('1\n');
  await expect.poll(() => values).toEqual(['1']);
  subscription.unsubscribe();
  test.clock.pass(0);
  expect(test.link.readyState).toBe('idle');
});

test.each([
  ['a framing operator', () => lengthPrefixed({ lengthField: 1 }), ['\x03one\x05tw', '\x05three'], ['one', 'three']],
  ['decodeText()', () => decodeText(), ['e\xc3', '\xa9'], ['e', '\ufffd']], // the two halves of an é
])('%s behind data() begins anew with each connection', async (_what, operator, [cut, next], expected) => {
  const server = await rawServer();
  const test = linkTo(server.port);
  const { values, log } = record(test.link.pipe(data(), operator() as OperatorFunction<Buffer, unknown>, map(String)));
  const first = await server.next();
  first.write(cut as string, 'latin1');
  await expect.poll(() => test.link.socket?.bytesRead).toBe(cut?.length);
  first.resetAndDestroy();
  await expect.poll(() => test.link.readyState).toBe('waiting');
  test.clock.pass(100);
  (await server.next()).write(next as string, 'latin1');
  await expect.poll(() => values).toEqual(expected);
  test.link.error();
  await expect.poll(() => log.at(-1)).toMatch(/^error:/);
});

test('data() goes on from one connection to the next, and ends with the link', async () => {
  const server = await rawServer();
  const test = linkTo(server.port);
  const { values, log, ended } = record(test.link.pipe(data(), map(String)));
  (await server.next()).end('one');
  await expect.poll(() => test.link.readyState).toBe('waiting');
  test.clock.pass(100);
  const second = await server.next();
  second.write('two');
  await expect.poll(() => values).toEqual(['one', 'two']);
  test.link.complete();
  second.resume().end();
  await ended;
  expect(log).toEqual(['one', 'two', 'complete']);
});

test('what reads slowly behind data() holds the link', async () => {
  const server = await rawServer();
  const { link } = linkTo(server.port);
  const never = new Subject<string>();
  link
    .pipe(
      data(),
      lines(),
      mapWithBackpressure(() => never, { highWaterMark: 1 }),
    )
    .subscribe();
  (await server.next()).write('a\nb\nc\nd\n');
  await expect.poll(() => link.socket?.holds).not.toEqual([]);
});
