// Chunks that wait to be written: small ones are joined, all keep their order.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkProperty } from '../../../../tests/support/property.js';
import { GatheredWrites } from '../../src/engine/gathered-writes.js';

test('small chunks are joined while they wait: their own buffers are free again', () => {
  const gathered = new GatheredWrites();
  const chunks = Array.from({ length: 1024 }, () => Buffer.from('a'));
  for (const chunk of chunks) gathered.push(chunk);
  for (const chunk of chunks) chunk.fill('b');
  expect(Buffer.concat(gathered.take()).toString()).toBe('a'.repeat(1024));
});

test('joined chunks have memory of their own, not of the pool that all small buffers share', () => {
  const gathered = new GatheredWrites();
  for (let n = 0; n < 1024; n++) gathered.push(Buffer.from('a'));
  expect(gathered.take().map(({ buffer }) => buffer.byteLength)).toEqual([1024]);
});

test('a million bytes, one at a time, leave in less than a thousand chunks', () => {
  const gathered = new GatheredWrites();
  for (let n = 0; n < 1_000_000; n++) gathered.push(Buffer.of(n & 0xff));
  expect(gathered.bytes).toBe(1_000_000);
  const chunks = gathered.take();
  expect(chunks.length).toBeLessThan(1_000);
  expect(Buffer.concat(chunks).equals(Buffer.from(Array.from({ length: 1_000_000 }, (_, n) => n & 0xff)))).toBe(true);
  expect(gathered.bytes).toBe(0);
});

test('a large chunk is not copied', () => {
  const gathered = new GatheredWrites();
  const large = Buffer.alloc(513, 'x');
  gathered.push(Buffer.from('a'));
  gathered.push(large);
  gathered.push(Buffer.from('b'));
  expect(gathered.take()[1]).toBe(large);
});

test('chunks of up to 512 bytes leave as one, a single chunk as it is', () => {
  const gathered = new GatheredWrites();
  const [single, small, large] = [Buffer.alloc(512), Buffer.alloc(512), Buffer.alloc(513)];
  const lengths = (...chunks: Buffer[]) => {
    for (const chunk of chunks) gathered.push(chunk);
    return gathered.take().map(({ length }) => length);
  };
  expect(lengths(small, small)).toEqual([1024]);
  expect(lengths(small, small, small, large, small, small)).toEqual([1536, 513, 1024]);
  gathered.push(single);
  expect(gathered.take()[0]).toBe(single);
});

test('an empty chunk does not wait', () => {
  const gathered = new GatheredWrites();
  gathered.push(Buffer.alloc(0));
  expect(gathered.take()).toEqual([]);
});

test('the bytes are the same in any sizes, however often they are taken', () => {
  const step = fc.oneof(fc.constant('take' as const), fc.nat(2000));
  checkProperty(
    fc.property(fc.array(step, { maxLength: 3000 }), (steps) => {
      const gathered = new GatheredWrites();
      const pushed: Buffer[] = [];
      const taken: Uint8Array[] = [];
      for (const [index, size] of steps.entries()) {
        if (size === 'take') taken.push(...gathered.take());
        else {
          const chunk = Buffer.alloc(size, index);
          pushed.push(chunk);
          gathered.push(chunk);
        }
      }
      taken.push(...gathered.take());
      expect(Buffer.concat(taken).equals(Buffer.concat(pushed))).toBe(true);
    }),
  );
});
