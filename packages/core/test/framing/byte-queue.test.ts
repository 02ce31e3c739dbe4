// What decoders of one's own use of the queue: bytes in one piece, and the search in a frame that comes in parts.
import { expect, onTestFinished, test, vi } from 'vitest';
import { ByteQueue } from '../../src/framing/byte-queue.js';
import { cuts } from './support.js';

const SEMICOLON = 59;

/** Searches one chunk after the other, and returns the place of each semicolon in its frame, and the frames. */
function search(chunks: readonly string[]): [number, string][] {
  const queue = new ByteQueue();
  const found: [number, string][] = [];
  let searched = 0;
  for (const chunk of chunks) {
    queue.push(Buffer.from(chunk));
    for (let at = queue.indexOf(SEMICOLON, searched, 100); at >= 0; at = queue.indexOf(SEMICOLON, searched, 100)) {
      const frame = queue.buffer.toString('latin1', queue.offset, queue.offset + at + 1);
      found.push([at, frame]);
      queue.dropFrame(at + 1);
      searched = 0;
    }
    searched = queue.size;
  }
  return found;
}

test('indexOf() finds the byte in each frame, and the frame lies in one piece, however the bytes are cut', () => {
  const text = 'a;bcd;;efg;h';
  for (const chunks of cuts(text)) {
    const places = [
      [1, 'a;'],
      [3, 'bcd;'],
      [0, ';'],
      [3, 'efg;'],
    ];
    expect(search(chunks)).toEqual(places);
  }
});

test('indexOf() passes over the bytes before its start', () => {
  const whole = new ByteQueue();
  whole.push(Buffer.from(';;a;'));
  expect([0, 1, 2, 4].map((start) => whole.indexOf(SEMICOLON, start, 100))).toEqual([0, 1, 3, -1]);
  expect(whole.rest().toString()).toBe(';;a;');
  const inParts = new ByteQueue();
  inParts.push(Buffer.from(';'));
  expect(inParts.indexOf(SEMICOLON, 1, 100)).toBe(-1);
  inParts.push(Buffer.from(';a;'));
  expect([0, 1, 2].map((start) => inParts.indexOf(SEMICOLON, start, 100))).toEqual([0, 1, 3]);
});

test('mark() and restore() give back a frame, whatever was gathered in between', () => {
  const queue = new ByteQueue();
  for (const chunk of ['ab', 'cd', 'efgh']) {
    queue.push(Buffer.from(chunk));
    queue.gather(3);
  }
  const mark = queue.mark();
  expect(queue.takeFrame(1, 3, 3).toString()).toBe('bc');
  queue.restore(mark);
  expect([queue.size, queue.rest().toString()]).toEqual([8, 'abcdefgh']);
});

test('a frame that asks for a little more each time is not copied each time', () => {
  const allocations = vi.spyOn(Buffer, 'allocUnsafeSlow');
  onTestFinished(() => allocations.mockRestore());
  const queue = new ByteQueue();
  for (let count = 1; count <= 1000; count++) {
    queue.push(Buffer.alloc(100));
    expect(queue.gather(100 * count)).toBe(true);
    expect(queue.gather(100 * count + 1)).toBe(false);
  }
  expect(allocations.mock.calls.length).toBeLessThan(40);
  const reserved = allocations.mock.calls.reduce((total, [size]) => total + size, 0);
  expect(reserved).toBeLessThan(10 * 100_000);
});

test('a frame whose length is known from the start gets no more memory than it needs', () => {
  const allocations = vi.spyOn(Buffer, 'allocUnsafeSlow');
  onTestFinished(() => allocations.mockRestore());
  const queue = new ByteQueue();
  for (let i = 0; i < 1000; i++) {
    queue.push(Buffer.alloc(100));
    if (i === 0) queue.gather(4);
    queue.gather(100_000);
  }
  expect(Math.max(...allocations.mock.calls.map(([size]) => size))).toBe(100_000);
  expect(queue.takeFrame(0, 100_000, 100_000)).toHaveLength(100_000);
});

test('bytes that a search has saved behind the frame are not lost', () => {
  for (const chunks of cuts('a;b;c,d')) {
    const queue = new ByteQueue();
    const frames: string[] = [];
    // Frames end with `,` or `;`: two searches.
    const decode = () => {
      for (;;) {
        const ends = [queue.indexOf(44, 0, 100), queue.indexOf(59, 0, 100)].filter((end) => end >= 0);
        if (ends.length === 0) return;
        const end = Math.min(...ends);
        frames.push(queue.takeFrame(0, end, end + 1).toString());
      }
    };
    for (const chunk of chunks) {
      queue.push(Buffer.from(chunk));
      decode();
    }
    expect([frames, queue.rest().toString()]).toEqual([['a', 'b', 'c'], 'd']);
  }
});
