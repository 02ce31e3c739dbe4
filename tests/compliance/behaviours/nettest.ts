// The behaviours of Go's nettest.TestConn (golang.org/x/net/nettest), under their names there. A deadline of Go is here
// the `timeout` of a read, or an RxJS timeout() around a write(): a write that somebody gives up is not taken back.
import { data, type Reader, reader, type Socket, SocketTimeoutError, writeTo } from '@rxsock/core';
import { from, lastValueFrom, type SchedulerLike, TimeoutError, timeout } from 'rxjs';
import { expect } from 'vitest';
import { turns } from '../../support/turns.js';
import { bytes, expectSame, fillBuffers, sizes } from '../support/bytes.js';
import type { Lab } from '../support/lab.js';
import { readAll, recordStory } from '../support/story.js';
import { type AddBehaviour, topic } from '../support/topic.js';

const KIBIBYTE = 1024;
const HELLO = 'Hello, world!';
/** Marks the end of what a read that was given up has left behind. */
const MARK = Uint8Array.of(0xff);

function* pieces(all: Buffer): Generator<Buffer> {
  for (let at = 0; at < all.length; at += KIBIBYTE) yield all.subarray(at, at + KIBIBYTE);
}

function echo(socket: Socket): void {
  socket.pipe(data(), writeTo(socket)).subscribe({ error: () => {} });
}

async function expectRoundTrip(socket: Socket, input: Reader): Promise<void> {
  await socket.write(HELLO);
  expect(`${await input.read(HELLO.length)}`).toBe(HELLO);
}

/** A write() that is given up after a time. */
function writeWithin(socket: Socket, chunk: Uint8Array, milliseconds: number, scheduler: SchedulerLike): Promise<void> {
  return lastValueFrom(from(socket.write(chunk)).pipe(timeout({ each: milliseconds, scheduler })));
}

/** Lets a millisecond pass on the clock in every turn. */
function runClock({ clock }: Lab): Disposable {
  let turn: NodeJS.Immediate;
  const run = () => {
    clock.tick(1);
    turn = setImmediate(run);
  };
  run();
  return { [Symbol.dispose]: () => clearImmediate(turn) };
}

/** Writes pieces that are no frames. Behind every seventh one a millisecond passes, while part of a frame waits. */
async function writeInPieces(socket: Socket, all: Buffer, { clock }: Lab): Promise<void> {
  let at = 0;
  for (const [index, size] of sizes(all.length, 2 * KIBIBYTE).entries()) {
    await socket.write(all.subarray(at, at + size));
    at += size;
    if (index % 7 > 0) continue;
    await turns(3);
    clock.tick(1);
  }
}

function exchanges(behaviour: AddBehaviour): void {
  behaviour(
    'BasicIO: a mebibyte in writes of a kibibyte arrives whole, and both sides close',
    async ({ connected }) => {
      const { near, far } = await connected();
      const sent = bytes(1024 * KIBIBYTE);
      const received = readAll(far);
      for (const piece of pieces(sent)) await near.write(piece);
      const reports = await Promise.all([near.close(), far.close()]);
      expectSame(await received, sent);
      expect(reports).toMatchObject([{ how: 'fin' }, { how: 'fin' }]);
    },
  );

  behaviour('PingPong: both sides answer each number with the next one', async ({ connected }) => {
    const { near, far } = await connected();
    const play = async (socket: Socket) => {
      using input = reader(socket);
      const seen: bigint[] = [];
      for (;;) {
        const number = (await input.read(8)).readBigUInt64LE();
        seen.push(number);
        const answer = Buffer.alloc(8);
        answer.writeBigUInt64LE(number + 1n);
        if (number < 1000n) await socket.write(answer);
        if (number >= 999n) return seen;
      }
    };
    near.next(Buffer.alloc(8));
    const [odd, even] = await Promise.all([play(near), play(far)]);
    expect(even).toEqual(Array.from({ length: 501 }, (_, index) => BigInt(2 * index)));
    expect(odd).toEqual(Array.from({ length: 500 }, (_, index) => BigInt(2 * index + 1)));
  });
}

function races(behaviour: AddBehaviour): void {
  behaviour('RacyRead: ten callers change what they have read, while reads time out, and lose nothing', async (lab) => {
    const { near, far } = await lab.timed();
    const input = reader(near, { timeout: 1 });
    const sent = bytes(1024 * KIBIBYTE);
    const got: Buffer[] = [];
    let expired = 0;
    const read = async () => {
      for (let count = 0; count < 100; count++) {
        try {
          const chunk = await input.read(KIBIBYTE);
          got.push(Buffer.from(chunk));
          chunk.fill(0);
        } catch (error) {
          expect(error).toBeInstanceOf(SocketTimeoutError);
          expired++;
        }
      }
    };
    const reading = Promise.all(Array.from({ length: 10 }, read));
    // The rest of it stays unread.
    void writeInPieces(far, sent, lab).catch(() => {});
    await reading;
    expect(got.length + expired).toBe(1000);
    expect([got.length > 500, expired > 50]).toEqual([true, true]);
    expectSame(Buffer.concat(got), sent.subarray(0, got.length * KIBIBYTE));
    input.release();
  });

  behaviour('RacyWrite: ten callers change a chunk when its write() has settled', async ({ connected }) => {
    const { near, far } = await connected();
    const received = readAll(far);
    const write = async (_: unknown, caller: number) => {
      const chunk = Buffer.alloc(KIBIBYTE);
      for (let count = 0; count < 100; count++) {
        chunk.fill(caller);
        chunk[0] = count;
        await near.write(chunk);
        chunk.fill(0xff);
      }
    };
    await Promise.all(Array.from({ length: 10 }, write));
    near.complete();
    const all = [...pieces(await received)];
    for (let caller = 0; caller < 10; caller++) {
      const own = all.filter((piece) => piece[1] === caller);
      expect(own.map((piece) => piece[0])).toEqual(Array.from({ length: 100 }, (_, count) => count));
      expect(own.every((piece) => piece.subarray(1).every((byte) => byte === caller))).toBe(true);
    }
    expect(all).toHaveLength(1000);
  });

  behaviour('ConcurrentMethods: all methods at once, a hundred times, leave a connection that works', async (lab) => {
    const { near, far } = await lab.timed({ allowHalfOpen: true });
    echo(far);
    const input = reader(near);
    const calls: Promise<unknown>[] = [];
    for (let count = 0; count < 100; count++) {
      const release = near.hold('test');
      calls.push(input.read(KIBIBYTE, { timeout: 10 }), near.write(Buffer.alloc(KIBIBYTE)));
      calls.push(input.readUntil(HELLO, { timeout: 1 }));
      near.next(Buffer.alloc(KIBIBYTE));
      expect([near.local, near.remote, near.readyState]).toEqual([far.remote, far.local, 'open']);
      recordStory(near).leave();
      release();
    }
    using _ = runClock(lab);
    for (const call of await Promise.allSettled(calls)) {
      if (call.status === 'rejected') expect(call.reason).toBeInstanceOf(SocketTimeoutError);
    }
    near.next(MARK);
    await input.readUntil(MARK);
    await expectRoundTrip(near, input);
    input.release();
  });
}

function timeouts(behaviour: AddBehaviour): void {
  behaviour('ReadTimeout: a read that times out does not affect writes', async (lab) => {
    const { near, far } = await lab.timed();
    const received = readAll(far);
    using input = reader(near);
    const read = expect(input.read(KIBIBYTE, { timeout: 1 })).rejects.toBeInstanceOf(SocketTimeoutError);
    await lab.settle();
    lab.clock.tick(1);
    await read;
    await near.write(bytes(KIBIBYTE));
    near.complete();
    expectSame(await received, bytes(KIBIBYTE));
  });

  behaviour('WriteTimeout: a write that is given up does not affect reads, and arrives later', async (lab) => {
    const { near, far } = await lab.timed();
    const release = far.hold('busy');
    fillBuffers(near);
    const written = near.writableLength + near.bytesWritten;
    const write = expect(writeWithin(near, bytes(KIBIBYTE), 1, lab.clock)).rejects.toBeInstanceOf(TimeoutError);
    await lab.settle();
    lab.clock.tick(1);
    await write;
    using input = reader(near);
    far.next(bytes(KIBIBYTE, 2));
    expectSame(await input.read(KIBIBYTE), bytes(KIBIBYTE, 2));
    const received = readAll(far);
    release();
    near.complete();
    const all = await received;
    expect(all).toHaveLength(written + KIBIBYTE);
    expectSame(all.subarray(-KIBIBYTE), bytes(KIBIBYTE));
  });

  behaviour('PastTimeout: between two round trips, a read whose time is over fails at once', async (lab) => {
    const { near, far } = await lab.timed({ allowHalfOpen: true });
    echo(far);
    const input = reader(near);
    await expectRoundTrip(near, input);
    for (let count = 0; count < 3; count++) {
      const read = expect(input.read(KIBIBYTE, { timeout: 1 })).rejects.toMatchObject({ milliseconds: 1 });
      await lab.settle();
      lab.clock.tick(1);
      await read;
    }
    await expectRoundTrip(near, input);
    input.release();
  });

  behaviour(
    'PresentTimeout: the time of a read and of a write that wait ends, not earlier and not later',
    async (lab) => {
      const { near, far } = await lab.timed();
      far.hold('busy');
      fillBuffers(near);
      using input = reader(near);
      const settled: string[] = [];
      const read = input.read(1, { timeout: 100 }).catch((error) => settled.push(error.name));
      const write = writeWithin(near, MARK, 100, lab.clock).catch((error) => settled.push(error.name));
      await lab.settle();
      lab.clock.tick(99);
      await lab.settle();
      expect(settled).toEqual([]);
      lab.clock.tick(1);
      await Promise.all([read, write]);
      expect(settled.sort()).toEqual(['SocketTimeoutError', 'TimeoutError']);
    },
  );

  behaviour('FutureTimeout: when a read and a write have timed out, the connection works again', async (lab) => {
    const { near, far } = await lab.timed({ allowHalfOpen: true });
    const release = far.hold('busy');
    fillBuffers(near);
    const input = reader(near);
    const read = expect(input.read(KIBIBYTE, { timeout: 100 })).rejects.toBeInstanceOf(SocketTimeoutError);
    const write = expect(writeWithin(near, MARK, 100, lab.clock)).rejects.toBeInstanceOf(TimeoutError);
    await lab.settle();
    lab.clock.tick(100);
    await Promise.all([read, write]);
    echo(far);
    release();
    // Before it come the bytes behind which the write waited.
    for await (const chunk of input) if (chunk.includes(0xff)) break;
    await expectRoundTrip(near, input);
    input.release();
  });

  behaviour('CloseTimeout: a close that does not wait ends pending reads and writes', async ({ connected }) => {
    const { near, far } = await connected();
    far.hold('busy');
    const heard = recordStory(near);
    fillBuffers(near);
    using input = reader(near);
    const pending = [input.read(1), input.readAll(), near.write(MARK), near.write(MARK)];
    const report = near.close({ timeout: 0 });
    const settled = await Promise.allSettled(pending);
    expect(settled.map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
    expect(await report).toMatchObject({ by: 'local', how: 'abort' });
    expect((await heard.ended).story.slice(-2)).toEqual(['close', 'AbortedError']);
  });
}

export const nettest = topic("Go's nettest.TestConn", (behaviour) => {
  exchanges(behaviour);
  races(behaviour);
  timeouts(behaviour);
});
