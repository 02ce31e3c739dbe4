// A memory budget counts exactly what its sockets keep, after every step of any story; it is not exceeded; and it is
// empty when all sockets have ended, however they ended.
import { data, memoryBudget, type Release, type Socket } from '@rxsock/core';
import { controlOf } from '@rxsock/core/internal';
import { socketPair, VirtualClock } from '@rxsock/core/testing';
import fc from 'fast-check';
import type { Subscription } from 'rxjs';
import { afterAll, expect, test, vi } from 'vitest';
import { checkProperty, runsOr } from '../support/property.js';

const LIMIT = 200_000;
const PAIRS = 3;

/** One socket of a pair, and what the story has done with it. */
interface Side {
  readonly socket: Socket;
  release?: Release | undefined;
  reading?: Subscription | undefined;
  /** How many bytes were given back: these cannot be refused. */
  unread: number;
}

type Act = (side: Side, size: number) => void;

const acts: Readonly<Record<string, Act>> = {
  next: ({ socket }, size) => void socket.next(Buffer.alloc(size)),
  'write 1,100 promises': ({ socket }) => {
    for (let i = 0; i < 1100; i++) socket.write('x');
  },
  hold: (side) => {
    side.release ??= side.socket.hold();
  },
  release: (side) => {
    side.release?.();
    side.release = undefined;
  },
  read: (side) => {
    side.reading ??= side.socket.pipe(data()).subscribe({ error: () => {} });
  },
  stop: (side) => {
    side.reading?.unsubscribe();
    side.reading = undefined;
  },
  // No more than it had received, as operators do.
  unshift: (side) => {
    const taken = side.socket.bytesRead - side.socket.readableLength;
    if (taken === 0) return;
    side.socket.unshift(Buffer.alloc(1));
    side.unread++;
  },
  complete: ({ socket }) => socket.complete(),
  close: ({ socket }) => void socket.close(),
  abort: ({ socket }) => socket.error(),
};
const rare = ['complete', 'close', 'abort'];

const step = fc.record({
  act: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...Object.keys(acts).filter((name) => !rare.includes(name))) },
    { weight: 1, arbitrary: fc.constantFrom(...rare) },
  ),
  side: fc.nat(2 * PAIRS - 1),
  size: fc.oneof(fc.nat(2000), fc.nat(70_000), fc.nat(250_000)),
  milliseconds: fc.constantFrom(0, 0, 1, 1, 50),
});

const ends: Readonly<Record<string, Act>> = {
  'all abort': ({ socket }) => socket.error(),
  'all close at once': ({ socket }) => void socket.close({ timeout: 0 }),
  'all close': ({ socket }) => void socket.close(),
  'all are released, read, and complete': (side) => {
    acts.release?.(side, 0);
    acts.read?.(side, 0);
    side.socket.complete();
  },
  'all are left': (side) => {
    acts.release?.(side, 0);
    acts.read?.(side, 0);
    acts.stop?.(side, 0);
  },
};

/** What a socket keeps, without its promises. After a failure nothing more is written, and what waited is dropped. */
function kept({ socket }: Side): number {
  const received = socket.readyState === 'closed' ? 0 : socket.readableLength;
  return received + (controlOf(socket).writeSide.state === 'broken' ? 0 : socket.writableLength);
}

// A story loses bytes without anybody to notice, and writes after the end.
const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
afterAll(() => warnings.mockRestore());

test('used is what the sockets keep, and 0 after the last of them has ended', () => {
  const story = fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(...Object.keys(ends)), (steps, end) => {
    const budget = memoryBudget(LIMIT);
    const scheduler = new VirtualClock();
    // As from a kernel, no chunk is larger than 64 KiB.
    const options = { scheduler, budget, highWaterMark: 30_000, slicer: { sizes: [1000, 60_000] } };
    const sides: Side[] = Array.from({ length: PAIRS }, () => socketPair(options))
      .flat()
      .map((socket) => ({ socket, unread: 0 }));
    // An end in memory that nobody has claimed takes the first chunk unasked. A kernel does not.
    for (const { socket } of sides) socket.next('');
    const check = () => {
      const bytes = sides.reduce((sum, side) => sum + kept(side), 0);
      // Each pending promise of a socket beyond 1,024 counts 400 bytes.
      const promises = (budget.used - bytes) / 400;
      expect(promises).toBe(Math.floor(promises));
      expect(promises).toBeGreaterThanOrEqual(0);
      expect(budget.used).toBeLessThanOrEqual(LIMIT + sides.reduce((sum, { unread }) => sum + unread, 0));
    };
    for (const { act, side, size, milliseconds } of steps) {
      acts[act]?.(sides[side] as Side, size);
      check();
      scheduler.tick(milliseconds);
      check();
    }
    for (const side of sides) ends[end]?.(side, 0);
    scheduler.tick(600_000);
    expect(sides.map(({ socket }) => socket.readyState)).toEqual(sides.map(() => 'closed'));
    expect(budget.used).toBe(0);
  });
  checkProperty(story, { numRuns: runsOr(60) });
});
