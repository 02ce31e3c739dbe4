// No chain of writes, drains, synchronous sources and deliveries keeps the event loop: then it goes on in a later turn.
import { data, flowFrom, lines, sendFrom, writeTo } from '@rxsock/core';
import { expect, onTestFinished, test } from 'vitest';
import { pair } from '../../../../tests/support/raw-peers.js';

/** A pair whose peer reads everything, so that the kernel takes every write at once. */
async function drained() {
  const { socket, peer } = await pair({ keepOpen: true });
  peer.resume();
  return socket;
}

/** Keeps the processor busy. */
function work(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

function* forever(value: Buffer): Generator<Buffer> {
  for (;;) yield value;
}

test('next() returns false when the budget of the turn is used up, and drain follows in a later turn', async () => {
  const socket = await drained();
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
  expect(writes).toBeGreaterThan(100);
  expect(order).toEqual(['turn', 'drain']);
});

test.each([
  [
    'writeTo() from an endless generator',
    (socket: Awaited<ReturnType<typeof drained>>, chunk: Buffer) => flowFrom(forever(chunk)).pipe(writeTo(socket)),
  ],
  [
    'sendFrom() from an endless generator',
    (socket: Awaited<ReturnType<typeof drained>>, chunk: Buffer) => sendFrom(socket, forever(chunk)),
  ],
  [
    'flowFrom() of an endless generator',
    (_socket: Awaited<ReturnType<typeof drained>>, chunk: Buffer) => flowFrom(forever(chunk)),
  ],
] as const)('%s lets a timer run', async (_name, start) => {
  const socket = await drained();
  const subscription = start(socket, Buffer.alloc(16)).subscribe({ error: () => {} });
  await new Promise((resolve) => setTimeout(resolve, 5));
  subscription.unsubscribe();
});

test('a loop of await write() lets a timer run', async () => {
  const socket = await drained();
  let over = false;
  setTimeout(() => {
    over = true;
  }, 5);
  while (!over) await socket.write('x');
});

test('the frames of one chunk are spread over several turns if their consumer is slow', async () => {
  const { socket, peer } = await pair();
  let frames = 0;
  let seenByTurn: number | undefined;
  const finished = new Promise<void>((resolve) => {
    socket.pipe(data(), lines()).subscribe({
      next: () => {
        if (frames++ === 0) setImmediate(() => (seenByTurn = frames));
        work(1);
      },
      complete: resolve,
    });
  });
  peer.end('x\n'.repeat(100));
  await finished;
  expect(frames).toBe(100);
  expect(seenByTurn).toBeLessThan(100);
});
