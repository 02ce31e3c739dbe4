// No chain of writes, drains, synchronous sources and deliveries keeps the event loop: then it goes on in a later turn.
import { once } from 'node:events';
import net from 'node:net';
import { Duplex, pipeline, Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import {
  data,
  flowFrom,
  framed,
  fromDuplex,
  lines,
  linesCodec,
  mapWithBackpressure,
  reader,
  reconnect,
  type Socket,
  type SocketOptions,
  sendFrom,
  through,
  toAsyncIterable,
  toDuplex,
  writeTo,
} from '@rxsock/core';
import { defer, lastValueFrom, map, NEVER, type Observable, Subject, take, tap, toArray } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { drainRaw, pair, rawClient, rawServer } from '../../../../tests/support/raw-peers.js';
import { turns } from '../../../../tests/support/turns.js';
import { temporaryPath } from '../../../../tests/support/unix-servers.js';

/** A pair whose peer reads everything, so that the kernel takes every write at once. */
async function drained(options: SocketOptions = {}) {
  const { socket, peer } = await pair({ keepOpen: true, ...options });
  peer.resume();
  return socket;
}

/** Keeps the processor busy. */
function work(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** Repeats a value for ever. `mostPulled` is how often it was pulled in one turn of the event loop, at most. */
class Endless {
  mostPulled = 0;
  #pulled = 0;

  *[Symbol.iterator](): Generator<Buffer> {
    const value = Buffer.alloc(16);
    for (;;) {
      if (this.#pulled++ === 0) setImmediate(() => (this.#pulled = 0));
      this.mostPulled = Math.max(this.mostPulled, this.#pulled);
      yield value;
    }
  }
}

test('next() returns false when the budget of the turn is used up, and drain follows in a later turn', async () => {
  const socket = await drained({ highWaterMark: 100_000_000 });
  const order: string[] = [];
  const done = new Promise<void>((resolve) => {
    const subscription = socket.subscribe(({ type }) => {
      if (type !== 'drain') return;
      order.push('drain');
      resolve();
    });
    onTestFinished(() => subscription.unsubscribe());
  });
  setImmediate(() => order.push('turn'));
  let writes = 0;
  while (socket.next(Buffer.alloc(16))) writes++;
  await done;
  expect(writes).toBeGreaterThan(0);
  expect(order).toEqual(['turn', 'drain']);
});

test.each<[string, (socket: Socket, source: Endless) => Observable<unknown> | Duplex]>([
  ['writeTo()', (socket, source) => flowFrom(source).pipe(writeTo(socket))],
  ['sendFrom()', (socket, source) => sendFrom(socket, source)],
  ['toDuplex()', (socket, source) => pipeline(Readable.from(source), toDuplex(socket), () => {})],
  ['flowFrom() alone', (_socket, source) => flowFrom(source)],
])('an endless generator in front of %s does not keep the event loop', async (_name, start) => {
  const socket = await drained();
  const source = new Endless();
  const started = start(socket, source);
  const subscription = started instanceof Duplex ? undefined : started.subscribe({ error: () => {} });
  await turns(5);
  expect(source.mostPulled).toBeGreaterThan(0);
  // The budget of a turn is 5 ms, in which a fast machine pulls 100,000. Without one, it would never stop.
  expect(source.mostPulled).toBeLessThan(2_000_000);
  subscription?.unsubscribe();
});

test('a loop of await write() lets a timer run', async () => {
  const socket = await drained();
  let over = false;
  setTimeout(() => {
    over = true;
  }, 5);
  while (!over) await socket.write('x');
});

test('the pause between two turns does not hide who holds the socket', async () => {
  const { socket, peer } = await pair();
  const slow = tap(() => work(6));
  const held = socket
    .pipe(
      data(),
      lines(),
      slow,
      mapWithBackpressure(() => NEVER, { highWaterMark: 2 }),
    )
    .subscribe();
  onTestFinished(() => held.unsubscribe());
  peer.write('x\n'.repeat(100));
  await expect.poll(() => socket.holds).toEqual(['lines ← mapWithBackpressure']);
});

const consumers: Record<string, (socket: Socket, consume: () => void) => Observable<unknown>> = {
  'lines()': (socket, consume) => socket.pipe(data(), lines(), tap(consume)),
  'lines() behind another operator': (socket, consume) => socket.pipe(data(), map(Buffer.from), lines(), tap(consume)),
  'lines() behind through()': (socket, consume) => NEVER.pipe(through(socket), lines(), tap(consume)),
  'framed()': (socket, consume) => framed(socket, linesCodec()).pipe(tap(consume)),
  'a pipeline of eachConnection()': (socket, consume) =>
    reconnect(() => socket, { maxRetries: 0 })
      .eachConnection((bytes) => bytes.pipe(lines(), tap(consume)))
      .pipe(take(100)),
  'a reader': (socket, consume) =>
    defer(async () => {
      const input = reader(socket);
      while ((await input.readLine()) !== undefined) consume();
      input.release();
    }),
  'a loop of for await': (socket, consume) =>
    defer(async () => {
      for await (const _line of toAsyncIterable(socket.pipe(data(), lines()))) consume();
    }),
};

/** Checks that the frames of one chunk are spread over several turns. `send` makes the socket receive them, and the end. */
async function expectSpread(
  socket: Socket,
  send: (text: string) => void,
  start: (typeof consumers)[string],
): Promise<void> {
  let frames = 0;
  let seenByTurn: number | undefined;
  const consumed = lastValueFrom(
    start(socket, () => {
      if (frames++ === 0) setImmediate(() => (seenByTurn = frames));
      work(1);
    }),
    { defaultValue: undefined },
  );
  send('x\n'.repeat(100));
  await consumed;
  expect(frames).toBe(100);
  expect(seenByTurn).toBeLessThan(50);
}

test.each(Object.entries(consumers))('%s spreads the frames of one chunk over several turns', async (_name, start) => {
  const { socket, peer } = await pair();
  await expectSpread(socket, (text) => peer.end(text), start);
});

test.each(['lines()', 'a reader'])('%s does so over fromDuplex() of a net.Socket too', async (name) => {
  const server = await rawServer();
  const peer = rawClient(server.port);
  const socket = fromDuplex(await server.next());
  await expectSpread(socket, (text) => peer.end(text), consumers[name]!);
});

/** Writes for ever, in another thread, to each connection of a UNIX socket. */
const endlessServer = `
  const { parentPort, workerData } = require('node:worker_threads');
  const chunk = Buffer.alloc(65_536);
  const server = require('node:net').createServer((peer) => {
    const write = () => {
      while (peer.write(chunk));
    };
    peer.on('error', () => {}).on('drain', write);
    write();
  });
  server.listen(workerData, () => parentPort.postMessage('listening'));
`;

test('a peer that never pauses does not keep the loop', async () => {
  const { path } = temporaryPath();
  const worker = new Worker(endlessServer, { eval: true, workerData: path });
  onTestFinished(async () => void (await worker.terminate()));
  await once(worker, 'message');
  const chunksOfTurns = [0];
  const consume = () => {
    const chunks = (chunksOfTurns.pop() ?? 0) + 1;
    chunksOfTurns.push(chunks);
    if (chunks === 1) setImmediate(() => chunksOfTurns.push(0));
    work(3);
  };
  await lastValueFrom(fromDuplex(net.connect(path)).pipe(data(), tap(consume), take(300)));
  // 5 ms, and the chunk after them. Node itself reads up to 32 chunks in a turn.
  expect(Math.max(...chunksOfTurns)).toBeLessThanOrEqual(4);
});

/** Reads lines whose consumer needs a whole turn for each, and which never come to an end. */
async function busyLines(): Promise<void> {
  const { socket, peer } = await pair({ keepOpen: true });
  let begun = () => {};
  const first = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const subscription = socket.pipe(data(), lines()).subscribe(() => {
    begun();
    work(10);
  });
  onTestFinished(() => subscription.unsubscribe());
  peer.write('\n'.repeat(60_000));
  await first;
}

test('a connection that uses up every turn does not keep the lines of another one', async () => {
  await busyLines();
  const { socket, peer } = await pair({ keepOpen: true });
  const three = lastValueFrom(socket.pipe(data(), lines(), take(3), toArray()));
  peer.write('one\ntwo\nthree\n');
  expect(await three).toEqual(['one', 'two', 'three']);
});

test('a connection that uses up every turn does not keep the values of flowFrom()', async () => {
  await busyLines();
  expect(await lastValueFrom(flowFrom([1, 2, 3]).pipe(toArray()))).toEqual([1, 2, 3]);
});

test.each(['error', 'dropOldest', 'dropNewest'] as const)(
  'a turn that is used up drops nothing of a burst that the socket has room for: %s',
  async (overflow) => {
    const { socket, peer } = await pair({ keepOpen: true });
    const burst = new Subject<string>();
    const sent = lastValueFrom(
      burst.pipe(
        mapWithBackpressure((line) => [line], { highWaterMark: 16, overflow }),
        writeTo(socket),
      ),
    );
    const all = Array.from({ length: 1000 }, (_, index) => `${index}\n`);
    work(6);
    for (const line of all) burst.next(line);
    burst.complete();
    expect((await drainRaw(peer)).bytes.toString()).toBe(all.join(''));
    expect(await sent).toEqual({ bytesSent: all.join('').length });
  },
);
