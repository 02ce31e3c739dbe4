// The writes that wait for a connection: small ones are joined, all keep their order, and promises count.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkProperty } from '../../../../tests/support/property.js';
import { PendingWrites } from '../../src/reconnect/pending-writes.js';

const callbacks = { resolve: () => {}, reject: () => {} };
const next = (bytes: Uint8Array) => ({ bytes, callbacks: undefined });

function drain(writes: PendingWrites): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let write = writes.shift(); write; write = writes.shift()) chunks.push(write.bytes);
  return chunks;
}

test('a million bytes, one at a time, wait in little more than a thousand chunks', () => {
  const writes = new PendingWrites();
  for (let n = 0; n < 1_000_000; n++) writes.push(next(Buffer.of(n & 0xff)));
  expect(writes.bytes).toBe(1_000_000);
  const chunks = drain(writes);
  expect(chunks.length).toBeLessThan(1_024 + 1_000_000 / 4_000);
  expect(Buffer.concat(chunks).equals(Buffer.from(Array.from({ length: 1_000_000 }, (_, n) => n & 0xff)))).toBe(true);
  expect([writes.bytes, writes.empty]).toEqual([0, true]);
});

test('the first 1,024 chunks are not copied', () => {
  const writes = new PendingWrites();
  const chunks = Array.from({ length: 1_024 }, () => Buffer.from('a'));
  for (const chunk of chunks) writes.push(next(chunk));
  expect(drain(writes).every((bytes, index) => bytes === chunks[index])).toBe(true);
});

test('empty chunks do not wait', () => {
  const writes = new PendingWrites();
  writes.push(next(Buffer.alloc(0)));
  expect(writes.empty).toBe(true);
});

test('a write() with nothing to write waits for its turn', () => {
  const writes = new PendingWrites();
  const write = { bytes: Buffer.alloc(0), callbacks };
  writes.push(write);
  expect(writes.shift()).toBe(write);
});

test('promises count from the 1,025th on, until their writes leave', () => {
  const writes = new PendingWrites();
  for (let n = 0; n < 1_024; n++) writes.push({ bytes: Buffer.from('a'), callbacks });
  expect(writes.cost).toBe(1_024);
  for (let n = 0; n < 10; n++) writes.push({ bytes: Buffer.from('a'), callbacks });
  expect(writes.cost).toBe(1_034 + 10 * 400);
  drain(writes);
  expect(writes.cost).toBe(0);
});

test('the bytes are the same in any sizes, with and without promises, however often they are taken', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ size: fc.nat(600), promise: fc.boolean(), times: fc.nat(300) }) },
    { weight: 1, arbitrary: fc.record({ take: fc.nat(3000) }) },
  );
  checkProperty(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const writes = new PendingWrites();
      const pushed: Uint8Array[] = [];
      const taken: Uint8Array[] = [];
      for (const [index, each] of steps.entries()) {
        if ('take' in each) {
          for (let n = 0; n < each.take && !writes.empty; n++) taken.push(writes.shift()?.bytes as Uint8Array);
          continue;
        }
        for (let n = 0; n < each.times; n++) {
          const bytes = Buffer.alloc(each.size, index + n);
          pushed.push(bytes);
          writes.push({ bytes, callbacks: each.promise ? callbacks : undefined });
        }
      }
      taken.push(...drain(writes));
      expect(Buffer.concat(taken).equals(Buffer.concat(pushed))).toBe(true);
    }),
  );
});
