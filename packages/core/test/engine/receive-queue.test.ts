// Bytes that wait to be delivered: small chunks share memory, and all bytes keep their order and position.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkProperty } from '../../../../tests/support/property.js';
import { ReceiveQueue } from '../../src/engine/receive-queue.js';

function drain(queue: ReceiveQueue): Buffer[] {
  const chunks: Buffer[] = [];
  while (queue.bytes > 0) chunks.push(queue.shift());
  return chunks;
}

test('single bytes wait in blocks', () => {
  const queue = new ReceiveQueue();
  for (let n = 0; n < 65_536; n++) queue.push(Buffer.of(n & 0xff));
  const chunks = drain(queue);
  expect(chunks.length).toBeLessThan(20);
  expect(Buffer.concat(chunks).equals(Buffer.from(Array.from({ length: 65_536 }, (_, n) => n & 0xff)))).toBe(true);
});

test('small chunks between large ones share a block', () => {
  const queue = new ReceiveQueue();
  const large = Buffer.alloc(513);
  for (let n = 0; n < 100; n++) {
    queue.push(large);
    queue.push(Buffer.of(n));
  }
  const small = drain(queue).filter((chunk) => chunk !== large);
  expect(new Set(small.map(({ buffer }) => buffer)).size).toBe(1);
  expect(Buffer.concat(small).equals(Buffer.from(small.map((_, n) => n)))).toBe(true);
});

test('a chunk that does not wait behind another one is not copied, and neither is a large one', () => {
  const queue = new ReceiveQueue();
  const small = Buffer.from('a');
  const large = Buffer.alloc(513);
  queue.push(small);
  queue.push(large);
  expect(queue.shift()).toBe(small);
  expect(queue.shift()).toBe(large);
});

test('a chunk behind bytes that were given back does not change them', () => {
  const queue = new ReceiveQueue();
  for (const text of ['a', 'b']) queue.push(Buffer.from(text));
  drain(queue);
  const unread = Buffer.from('ab');
  queue.unread(unread);
  queue.push(Buffer.from('c'));
  expect(Buffer.concat(drain(queue)).toString()).toBe('abc');
  expect(unread.toString()).toBe('ab');
});

test('bytes have the same order and position however they are cut, taken and given back', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.nat(1000) },
    { weight: 2, arbitrary: fc.constantFrom('shift', 'unread') },
  );
  checkProperty(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const queue = new ReceiveQueue();
      let received = Buffer.alloc(0);
      let taken: Buffer = Buffer.alloc(0);
      for (const [index, each] of steps.entries()) {
        if (typeof each === 'number') {
          const chunk = Buffer.alloc(each, index);
          queue.push(chunk);
          received = Buffer.concat([received, chunk]);
        } else if (each === 'shift' && queue.bytes > 0) {
          taken = queue.shift();
        } else if (each === 'unread') {
          queue.unread(taken.subarray(taken.length >> 1));
          taken = taken.subarray(0, taken.length >> 1);
        }
        expect(queue.offset + queue.bytes).toBe(received.length);
      }
      const start = queue.offset;
      expect(Buffer.concat(drain(queue)).equals(received.subarray(start))).toBe(true);
    }),
  );
});
