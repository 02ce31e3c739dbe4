// The queue of receipts, of reconnect() and of operators: first in, first out, in linear time.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkProperty } from '../../../../tests/support/property.js';
import { Queue } from '../../src/base/queue.js';

test('returns the items in their order, however pushes and shifts take turns', () => {
  const step = fc.record({ pushed: fc.nat(3000), shifted: fc.nat(3000) });
  checkProperty(
    fc.property(fc.array(step, { maxLength: 10 }), (steps) => {
      const queue = new Queue<number>();
      let pushed = 0;
      const taken: unknown[] = [];
      for (const each of steps) {
        for (let n = 0; n < each.pushed; n++) queue.push(pushed++);
        for (let n = 0; n < each.shifted && queue.length > 0; n++) taken.push(queue.shift());
        const waiting = pushed - taken.length;
        const ends = waiting > 0 ? [taken.length, pushed - 1] : [undefined, undefined];
        expect([queue.length, queue.peek(), queue.peekLast()]).toEqual([waiting, ...ends]);
      }
      expect(taken.every((item, index) => item === index)).toBe(true);
    }),
  );
});

test('is empty after clear()', () => {
  const queue = new Queue<number>();
  for (let n = 0; n < 10; n++) queue.push(n);
  queue.shift();
  queue.clear();
  expect([queue.length, queue.peek(), queue.peekLast(), queue.shift()]).toEqual([0, undefined, undefined, undefined]);
});

/** Returns how many items the methods of arrays move while `run` runs. */
function movesOf(run: () => void): number {
  const { shift, slice, splice } = Array.prototype;
  let moves = 0;
  Object.assign(Array.prototype, {
    shift(this: unknown[]) {
      moves += this.length;
      return shift.call(this);
    },
    slice(this: unknown[], ...range: [number?, number?]) {
      const copy = slice.apply(this, range);
      moves += copy.length;
      return copy;
    },
    splice(this: unknown[], ...range: [number, number]) {
      moves += this.length;
      return splice.apply(this, range);
    },
  });
  try {
    run();
  } finally {
    Object.assign(Array.prototype, { shift, slice, splice });
  }
  return moves;
}

test('moves no item more than once, however long it is', () => {
  const moves = movesOf(() => {
    const queue = new Queue<number>();
    for (let n = 0; n < 100_000; n++) queue.push(n);
    while (queue.length > 0) queue.shift();
  });
  expect(moves).toBeLessThanOrEqual(100_000);
});
