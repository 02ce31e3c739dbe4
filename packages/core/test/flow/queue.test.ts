// Queue keeps the order for any pattern of use, and does not move the queued values.
import { expect, test } from 'vitest';
import { Queue } from '../../src/base/queue.js';

test('returns values in order while it grows and shrinks, and undefined when it is empty', () => {
  const queue = new Queue<number>();
  let pushed = 0;
  let shifted = 0;
  for (const [pushes, shifts] of [
    [3, 2],
    [5000, 3000],
    [1, 1500],
    [0, 501],
    [4000, 4000],
    [1, 0],
  ] as const) {
    for (let i = 0; i < pushes; i++) queue.push(pushed++);
    for (let i = 0; i < shifts; i++) expect(queue.shift()).toBe(shifted++);
    expect(queue.length).toBe(pushed - shifted);
  }
  queue.clear();
  expect(queue.length).toBe(0);
  expect(queue.shift()).toBeUndefined();
  expect(queue.length).toBe(0);
  queue.push(-1);
  expect(queue.shift()).toBe(-1);
});
