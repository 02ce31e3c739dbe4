// ReconnectingSocket.eachConnection(): a pipeline for each connection.
import {
  data,
  decodeText,
  FrameError,
  lengthPrefixed,
  lines,
  mapWithBackpressure,
  type ReconnectEvent,
  type ReconnectingSocket,
  SocketError,
  SocketTimeoutError,
  toAsyncIterable,
} from '@rxsock/core';
import { map, mergeMap, NEVER, Subject, share, take, throwError, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { reconnectingTo, recordEvents } from '../support/reconnecting.js';

test.each([
  ['a reset', (peer: { resetAndDestroy(): void }) => peer.resetAndDestroy()],
  ['FIN', (peer: { end(): void }) => peer.end()],
])('drops a frame that %s cuts, and starts the next connection with a new decoder', async (_how, cut) => {
  const server = await rawServer();
  const setup = reconnectingTo(server.port);
  const { values } = record(
    setup.reconnecting.eachConnection((bytes) => bytes.pipe(lengthPrefixed({ lengthField: 1 }), map(String))),
  );
  const { eventTypes } = recordEvents(setup);
  const first = await server.next();
  first.write('\x03one\x05tw');
  await expect.poll(() => values).toEqual(['one']);
  await expect.poll(() => setup.reconnecting.socket?.bytesRead).toBe(7);
  cut(first as never);
  await expect.poll(eventTypes).toContain('retry');
  setup.clock.tick(100);
  (await server.next()).write('\x05three');
  await expect.poll(() => values).toEqual(['one', 'three']);
});

test('emits an unterminated last line at a FIN, as trailing says, and drops it at a reset', async () => {
  const server = await rawServer();
  const setup = reconnectingTo(server.port);
  const emitted = record(setup.reconnecting.eachConnection(lines()));
  const dropped = record(setup.reconnecting.eachConnection(lines({ trailing: 'drop' })));
  (await server.next()).end('a\nb');
  await expect.poll(() => emitted.values).toEqual(['a', 'b']);
  await expect.poll(() => setup.reconnecting.readyState).toBe('waiting');
  setup.clock.tick(100);
  const second = await server.next();
  second.write('c\nd');
  await expect.poll(() => setup.reconnecting.socket?.bytesRead).toBe(3);
  second.resetAndDestroy();
  await expect.poll(() => setup.reconnecting.readyState).toBe('waiting');
  expect(emitted.values).toEqual(['a', 'b', 'c']);
  expect(dropped.values).toEqual(['a', 'c']);
});

test('a malformed frame aborts its connection, and the socket reconnects', async () => {
  const server = await rawServer();
  const setup = reconnectingTo(server.port);
  const { values, log } = record(setup.reconnecting.eachConnection(lines({ maxLength: 3 })));
  const events = recordEvents(setup);
  (await server.next()).write('one\ntoo long\nlost\n');
  await expect.poll(events.eventTypes).toContain('retry');
  expect((events.values as ReconnectEvent[]).find(({ type }) => type === 'disconnect')).toMatchObject({
    error: { code: 'ERR_SOCKET_ABORTED', cause: { code: 'ERR_FRAME_TOO_LONG' } },
  });
  setup.clock.tick(100);
  (await server.next()).write('two\n');
  await expect.poll(() => values).toEqual(['one', 'two']);
  expect(log).toEqual(['one', 'two']);
});

test('a frame that does not end in time does the same', async () => {
  const server = await rawServer();
  const setup = reconnectingTo(server.port);
  const { clock } = setup;
  const { log } = record(setup.reconnecting.eachConnection(lines({ frameTimeout: 50, scheduler: clock })));
  const events = recordEvents(setup);
  (await server.next()).write('never ends');
  await expect.poll(events.eventTypes).toContain('data');
  clock.tick(50);
  await expect.poll(events.eventTypes).toContain('retry');
  expect((events.values as ReconnectEvent[]).find(({ type }) => type === 'disconnect')).toMatchObject({
    error: { code: 'ERR_SOCKET_ABORTED', cause: { timeout: 'frameTimeout' } },
  });
  expect(log).toEqual([]);
});

test.each([
  ['another socket', new SocketError('another', { code: 'ECONNREFUSED', phase: 'open' })],
  ['an encoder', new FrameError('refused', { phase: 'write' })],
  ['another time limit', new SocketTimeoutError('late', { phase: 'read', timeout: 'mine', milliseconds: 1 })],
])('forwards what a pipeline emits from %s, and the connection continues', async (_what, error) => {
  const server = await rawServer();
  const setup = reconnectingTo(server.port);
  const { eventTypes } = recordEvents(setup);
  const { ended } = record(
    setup.reconnecting.eachConnection((bytes) => bytes.pipe(mergeMap(() => throwError(() => error)))),
  );
  (await server.next()).write('x');
  expect(await ended).toEqual({ error });
  expect(setup.reconnecting.readyState).toBe('open');
  expect(eventTypes()).toEqual(['connect', 'data']);
});

test('forwards an error of the pipeline itself, and the socket continues for others', async () => {
  const server = await rawServer();
  const setup = reconnectingTo(server.port);
  const { ended } = record(
    setup.reconnecting.eachConnection((bytes) =>
      bytes.pipe(
        map(() => {
          throw new Error('a bug');
        }),
      ),
    ),
  );
  const thrown = record(
    setup.reconnecting.eachConnection(() => {
      throw new Error('another');
    }),
  );
  const { eventTypes } = recordEvents(setup);
  (await server.next()).write('x');
  expect(await thrown.ended).toEqual({ error: new Error('another') });
  expect(await ended).toEqual({ error: new Error('a bug') });
  expect(setup.reconnecting.readyState).toBe('open');
  expect(eventTypes()).toEqual(['connect', 'data']);
});

/** A single chunk may be larger than the limit, so only the next one is too much. */
function overflow(reconnecting: ReconnectingSocket): void {
  reconnecting.next(Buffer.alloc(50_000_000));
  reconnecting.next('x');
  reconnecting.next('x');
}

test.each<[string, (reconnecting: ReconnectingSocket, controller: AbortController) => void, string]>([
  ['error()', (reconnecting) => reconnecting.error(new Error('enough')), 'ERR_SOCKET_ABORTED'],
  ['a signal', (_reconnecting, controller) => controller.abort(), 'ERR_SOCKET_ABORTED'],
  ['close({ timeout: 0 })', (reconnecting) => void reconnecting.close({ timeout: 0 }), 'ETIMEDOUT'],
  ['an overflow', overflow, 'ERR_WRITE_BUFFER_OVERFLOW'],
])('fails at once by %s, whatever its pipelines still wait for', async (_decision, decide, code) => {
  const server = await rawServer((peer) => peer.write('line\n'.repeat(1000)));
  const controller = new AbortController();
  const { reconnecting } = reconnectingTo(server.port, { signal: controller.signal, maxWriteBuffer: 1000 });
  const behind = record(reconnecting.eachConnection(lines()).pipe(mapWithBackpressure(() => NEVER)));
  const inside = record(reconnecting.eachConnection((bytes) => bytes.pipe(mergeMap(() => NEVER))));
  await expect.poll(() => reconnecting.socket?.bytesRead).toBeGreaterThan(0);
  decide(reconnecting, controller);
  expect((await behind.ended).error).toMatchObject({ code });
  expect((await inside.ended).error).toMatchObject({ code });
});

test('completes and fails with the socket, after the pipelines are done', async () => {
  const server = await rawServer();
  const setup = reconnectingTo(server.port, { maxRetries: 1 });
  const all = record(setup.reconnecting.eachConnection((bytes) => bytes.pipe(map(String), toArray())));
  const { eventTypes } = recordEvents(setup);
  (await server.next()).end('abc');
  await expect.poll(eventTypes).toContain('retry');
  server.close();
  setup.clock.tick(100);
  expect((await all.ended).error).toMatchObject({ code: 'ERR_RECONNECT_EXHAUSTED' });
  expect(all.values).toEqual([['abc']]);
  const other = reconnectingTo((await rawServer((peer) => peer.end('x'))).port);
  const completed = record(other.reconnecting.eachConnection(toArray()));
  other.reconnecting.complete();
  expect(await completed.ended).toEqual({});
  expect(completed.log).toEqual(['x', 'complete']);
});

test('a slow consumer holds this connection and the next one; frames come in order, none twice', async () => {
  const server = await rawServer();
  const setup = reconnectingTo(server.port);
  const gate = new Subject<void>();
  const slow = mapWithBackpressure(
    (line: string) =>
      gate.pipe(
        take(1),
        map(() => line),
      ),
    { highWaterMark: 2 },
  );
  const { values } = record(setup.reconnecting.eachConnection(lines()).pipe(slow));
  const { eventTypes } = recordEvents(setup);
  const first = await server.next();
  first.write('1\n2\n3\n4\n5\n6');
  await expect.poll(() => setup.reconnecting.holds).toEqual(['lines ← mapWithBackpressure']);
  first.resetAndDestroy();
  await expect.poll(eventTypes).toContain('retry');
  setup.clock.tick(100);
  const second = await server.next();
  second.write('7\n8\n');
  for (let i = 0; i < 20; i++) second.write(Buffer.alloc(1_000_000, '9\n'));
  await expect.poll(() => setup.reconnecting.socket?.bytesRead).toBeGreaterThan(0);
  await turns();
  expect(setup.reconnecting.socket?.bytesRead).toBeLessThan(4 * 65_536);
  expect(values).toEqual([]);
  for (let line = 1; line <= 8; line++) gate.next();
  await expect.poll(() => values).toEqual(['1', '2', '3', '4', '5', '7', '8', '9']);
});

test('the end of the socket comes after what a pipeline still holds back', async () => {
  const server = await rawServer();
  const setup = reconnectingTo(server.port, { maxRetries: 0 });
  const frames = toAsyncIterable(setup.reconnecting.eachConnection(lines()), { highWaterMark: 2 })[
    Symbol.asyncIterator
  ]();
  const first = frames.next();
  const events = recordEvents(setup);
  const peer = await server.next();
  const sent = Array.from({ length: 50 }, (_, index) => String(index));
  peer.write(`${sent.join('\n')}\n`);
  expect(await first).toEqual({ done: false, value: '0' });
  await expect.poll(() => setup.reconnecting.holds).toHaveLength(1);
  peer.resetAndDestroy();
  await events.ended;
  for (const value of sent.slice(1)) expect(await frames.next()).toEqual({ done: false, value });
  await expect(frames.next()).rejects.toMatchObject({ code: 'ERR_RECONNECT_EXHAUSTED' });
});

test('its result can be held behind share()', async () => {
  const server = await rawServer();
  const setup = reconnectingTo(server.port);
  const gate = new Subject<void>();
  record(
    setup.reconnecting.eachConnection(lines()).pipe(
      share(),
      mapWithBackpressure(() => gate, { highWaterMark: 2 }),
    ),
  );
  (await server.next()).write('1\n2\n3\n4\n5\n');
  await expect.poll(() => setup.reconnecting.holds).toEqual(['mapWithBackpressure']);
});

test('unsubscribing leaves the socket', async () => {
  const server = await rawServer();
  const setup = reconnectingTo(server.port);
  const { subscription, values } = record(setup.reconnecting.eachConnection(lines()));
  (await server.next()).write('1\n');
  await expect.poll(() => values).toEqual(['1']);
  subscription.unsubscribe();
  setup.clock.tick(0);
  expect(setup.reconnecting.readyState).toBe('idle');
});

test('starts a text decoder again with each connection', async () => {
  const server = await rawServer();
  const setup = reconnectingTo(server.port);
  const { values } = record(setup.reconnecting.eachConnection(decodeText()));
  const first = await server.next();
  first.write('e\xc3', 'latin1'); // and the first half of an é
  await expect.poll(() => setup.reconnecting.socket?.bytesRead).toBe(2);
  first.resetAndDestroy();
  await expect.poll(() => setup.reconnecting.readyState).toBe('waiting');
  setup.clock.tick(100);
  (await server.next()).write('\xa9', 'latin1'); // the second half
  await expect.poll(() => values).toEqual(['e', '\ufffd']);
});

test('emits the plain bytes of one connection after the other, and completes with the socket', async () => {
  const server = await rawServer();
  const setup = reconnectingTo(server.port);
  const { values, log, ended } = record(setup.reconnecting.eachConnection(map(String)));
  (await server.next()).end('one');
  await expect.poll(() => setup.reconnecting.readyState).toBe('waiting');
  setup.clock.tick(100);
  const second = await server.next();
  second.write('two');
  await expect.poll(() => values).toEqual(['one', 'two']);
  setup.reconnecting.complete();
  second.resume().end();
  await ended;
  expect(log).toEqual(['one', 'two', 'complete']);
});

test('starts a later subscriber with the bytes that arrive next', async () => {
  const server = await rawServer();
  const { reconnecting } = reconnectingTo(server.port);
  const early = record(reconnecting.eachConnection(lines()));
  const peer = await server.next();
  peer.write('one\ntw');
  await expect.poll(() => reconnecting.socket?.bytesRead).toBe(6);
  const late = record(reconnecting.eachConnection(lines()));
  peer.write('o\nthree\n');
  await expect.poll(() => early.values).toEqual(['one', 'two', 'three']);
  expect(late.values).toEqual(['o', 'three']);
});

test('ignores the rest of a connection after its pipeline has completed, and starts a new one for the next', async () => {
  const server = await rawServer();
  const setup = reconnectingTo(server.port);
  const { values, log } = record(setup.reconnecting.eachConnection((bytes) => bytes.pipe(lines(), take(1))));
  const first = await server.next();
  first.write('one\nignored\n');
  await expect.poll(() => values).toEqual(['one']);
  first.resetAndDestroy();
  await expect.poll(() => setup.reconnecting.readyState).toBe('waiting');
  setup.clock.tick(100);
  (await server.next()).write('two\n');
  await expect.poll(() => values).toEqual(['one', 'two']);
  expect(log).toEqual(['one', 'two']);
});

test('rejects a project that is not a function, at the call', () => {
  const { reconnecting } = reconnectingTo(1);
  expect(() => reconnecting.eachConnection({} as never)).toThrow(/^project must be a function/);
});

test('data() on a reconnecting socket throws a TypeError that names eachConnection', () => {
  const { reconnecting } = reconnectingTo(1);
  const join = () => reconnecting.pipe(data() as never);
  expect(join).toThrow(TypeError);
  expect(join).toThrow(/eachConnection\(\(bytes\) => bytes\.pipe\(lines\(\)\)\)/);
});
