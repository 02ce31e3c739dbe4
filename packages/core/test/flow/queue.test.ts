// Queue: in order, whatever the pattern, and without moving what waits.
import { expect, test } from 'vitest';
import { Queue } from '../../src/base/queue.js';

test('gives in order what it was given, growing and shrinking, and nothing when it is empty', () => {
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
