// What this side decides about a socket overtakes the data: an abort, a signal, a time limit. It reaches every
// subscriber at once, through framing operators and queues, whoever holds. What the peer did comes in its place, after
// the data.
import type net from 'node:net';
import { PassThrough } from 'node:stream';
import {
  AbortedError,
  connect,
  data,
  decodeText,
  flowFrom,
  framed,
  lines,
  linesCodec,
  mapWithBackpressure,
  ResetError,
  reader,
  type Socket,
  SocketTimeoutError,
  sendFrom,
  type TcpOptions,
  toAsyncIterable,
  toDuplex,
  toReadable,
  toReadableStream,
} from '@rxsock/core';
import { socketPair, VirtualClock } from '@rxsock/core/testing';
import { lastValueFrom, map, NEVER, type Observable, timer } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

/** Starts to consume the socket and gets stuck. Resolves to the error that reaches the consumer. */
type Consumer = (socket: Socket) => Promise<unknown>;

const stuck = (source: Observable<unknown>): Promise<unknown> =>
  lastValueFrom(source.pipe(mapWithBackpressure(() => NEVER)), { defaultValue: 'completed' }).catch((error) => error);

/** Runs after the socket's other subscribers have received its end. */
const afterEnd = (socket: Socket, run: () => void) =>
  socket.subscribe({ error: () => setImmediate(run), complete: () => setImmediate(run) });

const consumers: Record<string, Consumer> = {
  'data()': (socket) => stuck(socket.pipe(data())),
  'lines()': (socket) => stuck(socket.pipe(data(), lines())),
  'framed()': (socket) => stuck(framed(socket, linesCodec())),
  'decodeText()': (socket) => stuck(socket.pipe(data(), decodeText())),
  'reader()': async (socket) => {
    const input = reader(socket);
    await input.readLine();
    return new Promise((resolve) => {
      // The buffer still holds lines: the next read fails all the same.
      afterEnd(socket, () => input.readLine().then(resolve, resolve));
    });
  },
  'toAsyncIterable()': async (socket) => {
    const iterator = toAsyncIterable(socket.pipe(data(), lines()), { highWaterMark: 8 })[Symbol.asyncIterator]();
    await iterator.next();
    return new Promise((resolve) => {
      afterEnd(socket, () => iterator.next().then(resolve, resolve));
    });
  },
  'toReadable()': (socket) => {
    const readable = toReadable(socket.pipe(data()), { highWaterMark: 1 });
    readable.once('readable', () => {});
    return new Promise((resolve) => readable.on('error', resolve));
  },
  'toReadableStream()': async (socket) => {
    const stream = toReadableStream(socket.pipe(data(), lines()));
    const input = stream.getReader();
    await input.read();
    return input.closed.catch((error) => error);
  },
  'toDuplex(), paused': (socket) => {
    const duplex = toDuplex(socket).pause();
    return new Promise((resolve) => duplex.on('error', resolve));
  },
  'toDuplex(), piped': (socket) => {
    const duplex = toDuplex(socket);
    const full = new PassThrough({ highWaterMark: 1 });
    full.write('full');
    duplex.pipe(full);
    return new Promise((resolve) => duplex.on('error', resolve));
  },
  'flowFrom()': (socket) => stuck(flowFrom(socket)),
  'flowFrom(toAsyncIterable())': (socket) => stuck(flowFrom(toAsyncIterable(socket.pipe(data(), lines())))),
  'flowFrom(toReadable())': (socket) => stuck(flowFrom(toReadable(socket.pipe(data(), lines())))),
  'flowFrom(toReadableStream())': (socket) => stuck(flowFrom(toReadableStream(socket.pipe(data(), lines())))),
  'sendFrom()': async (socket) => {
    const { port } = await rawServer();
    const target = connect({ host: '127.0.0.1', port, highWaterMark: 1 });
    // The peer does not read, so the first chunk waits for it.
    await target.write(Buffer.alloc(0));
    target.next(Buffer.alloc(20_000_000));
    return lastValueFrom(sendFrom(target, socket), { defaultValue: 'completed' }).catch((error) => error);
  },
};

const decisions: Record<string, (socket: Socket, controller: AbortController) => void> = {
  'a signal': (_socket, controller) => controller.abort(),
  'error()': (socket) => socket.error(new Error('enough')),
  'close({ timeout: 0 })': (socket) => void socket.close({ timeout: 0 }),
};

/** Ends the peer's side after ours. */
const answerFin = (peer: net.Socket) => peer.resume().once('end', () => peer.end());

async function talkative(options: Partial<TcpOptions> = {}) {
  const server = await rawServer((peer) => answerFin(peer).write('line\n'.repeat(1000)));
  return connect({ host: '127.0.0.1', port: server.port, ...options });
}

describe.each(Object.entries(consumers))('a consumer of %s that has stopped', (_name, consume) => {
  test.each(Object.entries(decisions))('receives an abort by %s', async (_decision, decide) => {
    const controller = new AbortController();
    const socket = await talkative({ signal: controller.signal });
    const error = consume(socket);
    await expect.poll(() => socket.bytesRead).toBeGreaterThan(0);
    decide(socket, controller);
    expect(await error).toBeInstanceOf(AbortedError);
  });
});

// The rest is dropped because this side closes, so the error does not wait for it.
test.each(Object.entries(consumers))(
  'a consumer of %s that has stopped learns that close() drops data',
  async (_name, consume) => {
    const socket = await talkative();
    const error = consume(socket);
    await expect.poll(() => socket.bytesRead).toBeGreaterThan(0);
    socket.hold('test');
    void socket.close();
    await expect(error).resolves.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  },
);

test.each(['lines()', 'framed()'])('holdTimeout reaches a consumer of %s and names the holder', async (name) => {
  const socket = await talkative({ holdTimeout: 100 });
  const error = await (consumers[name] as Consumer)(socket);
  expect(error).toBeInstanceOf(SocketTimeoutError);
  expect((error as Error).message).toMatch(
    /was held by (lines|framed) ← mapWithBackpressure for 100 ms \(holdTimeout\)$/,
  );
});

test('a reset of the peer comes after the frames that it had sent before', async () => {
  const server = await rawServer((peer) => {
    peer.write('a\nb\nc\n');
    peer.once('data', () => peer.resetAndDestroy()).resume();
  });
  const socket = connect({ host: '127.0.0.1', port: server.port });
  const release = socket.hold('later');
  const slow = mapWithBackpressure((line: string) => timer(5).pipe(map(() => line)));
  const { values, ended } = record(socket.pipe(data(), lines(), slow));
  await expect.poll(() => socket.bytesRead).toBe(6);
  await socket.write('now');
  await expect.poll(() => socket.readyState).toBe('closing');
  release();
  expect(await ended).toEqual({ error: expect.any(ResetError) });
  expect(values).toEqual(['a', 'b', 'c']);
});

test('a reset of the peer that waits behind data is passed on at once when this side aborts', () => {
  const clock = new VirtualClock();
  const [socket, peer] = socketPair({ scheduler: clock });
  const { log } = record(
    socket.pipe(
      data(),
      lines(),
      mapWithBackpressure(() => NEVER),
    ),
  );
  for (let chunks = 0; chunks < 2; chunks++) peer.next('line\n'.repeat(1000));
  clock.tick();
  peer.error();
  clock.tick();
  expect([socket.readyState, log]).toEqual(['closing', []]);
  socket.error(new Error('enough'));
  clock.tick();
  expect(log).toEqual(['error:ECONNRESET']);
});
