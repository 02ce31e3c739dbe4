// What decoders of one's own use of the queue: bytes in one piece, and the search in a frame that comes in parts.
import { describe, expect, onTestFinished, test, vi } from 'vitest';
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

test('indexOf() finds the byte near its start, far from it, and at both sides of where the search changes its way', () => {
  for (let length = 0; length < 40; length++) {
    const queue = new ByteQueue();
    queue.push(Buffer.from(`--${'.'.repeat(length)};;`));
    queue.advance(1);
    expect([queue.indexOf(SEMICOLON, 1, 100), queue.indexOf(SEMICOLON, length + 2, 100)]).toEqual([
      length + 1,
      length + 2,
    ]);
  }
});

test.each([
  ['in a chunk', ['-abcdef']],
  ['that was saved', ['-abc', 'def']],
])('copy() returns a part of a frame %s, in memory of its own, and consumes nothing', (_, chunks) => {
  const queue = new ByteQueue();
  queue.push(Buffer.from('...'));
  queue.dropFrame(3);
  const pushed = chunks.map((chunk) => Buffer.from(chunk));
  for (const chunk of pushed) {
    queue.push(chunk);
    queue.gather(6);
  }
  const part = queue.copy(1, 4);
  expect([part.toString(), queue.size, queue.takeFrame(1, 6, 6).toString()]).toEqual(['abc', 7, 'abcde']);
  for (const chunk of pushed) chunk.fill('!');
  expect(part.toString()).toBe('abc');
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

/** Records the size of each piece of memory that a queue asks for from now on. */
function recordAllocations(): number[] {
  const sizes: number[] = [];
  const allocate = Buffer.allocUnsafeSlow;
  const spy = vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((size) => {
    sizes.push(size);
    return allocate(size);
  });
  onTestFinished(() => spy.mockRestore());
  return sizes;
}

/** Pushes and gathers `count` bytes in two parts, so that they are saved. */
function gatherInParts(queue: ByteQueue, count: number): void {
  for (const part of [0, 1]) {
    queue.push(Buffer.alloc(count / 2, part));
    queue.gather(count);
  }
}

describe('memory', () => {
  test('an empty chunk needs none', () => {
    const sizes = recordAllocations();
    const queue = new ByteQueue();
    queue.push(Buffer.from('ab'));
    queue.push(Buffer.alloc(0));
    expect([queue.rest().toString(), sizes]).toEqual(['ab', []]);
  });

  test('a chunk that fits just behind the one before it needs no more', () => {
    const sizes = recordAllocations();
    const queue = new ByteQueue();
    for (const chunk of ['a', 'b', 'cd', 'e']) queue.push(Buffer.from(chunk));
    expect([queue.rest().toString(), sizes]).toEqual(['abcde', [4, 10]]);
  });

  test('copyChunk() copies the bytes of the caller once, and nothing where there are none', () => {
    const sizes = recordAllocations();
    const queue = new ByteQueue();
    queue.copyChunk();
    expect(sizes).toEqual([]);
    const bytes = Buffer.from('abcd');
    queue.push(bytes);
    queue.advance(1);
    queue.copyChunk();
    bytes.fill('-');
    queue.copyChunk();
    expect([queue.rest().toString(), sizes]).toEqual(['bcd', [3]]);
  });

  test('a frame in one chunk is found and gathered where it lies', () => {
    const sizes = recordAllocations();
    const queue = new ByteQueue();
    queue.push(Buffer.from(';ab;'));
    expect(queue.indexOf(SEMICOLON, 0, 100)).toBe(0);
    queue.dropFrame(1);
    expect([queue.indexOf(SEMICOLON, 0, 100), queue.gather(3), sizes]).toEqual([2, true, []]);
  });

  test('gather() saves no byte behind the frame', () => {
    const queue = new ByteQueue();
    queue.push(Buffer.from('ab'));
    queue.gather(3);
    queue.push(Buffer.from('cdef'));
    expect([queue.gather(3), queue.savedLength, queue.rest().toString()]).toEqual([true, 3, 'abcdef']);
  });

  test('gather() leaves bytes alone that a search has saved', () => {
    const queue = new ByteQueue();
    queue.push(Buffer.from('abcdef'));
    expect(queue.indexOf(SEMICOLON, 0, 100)).toBe(-1);
    queue.push(Buffer.from('gh'));
    expect([queue.gather(3), queue.gather(6), queue.savedLength]).toEqual([true, true, 6]);
    expect(queue.rest().toString()).toBe('abcdefgh');
  });

  test('a search reserves no more than the frame may have', () => {
    const sizes = recordAllocations();
    const queue = new ByteQueue();
    for (const length of [40, 41, 19, 1]) {
      queue.push(Buffer.alloc(length));
      queue.indexOf(SEMICOLON, 0, 100);
    }
    // 101 bytes are more than the frame may have, but not more than the search has to look at.
    expect(sizes).toEqual([80, 100, 150]);
  });

  test.each([
    [40, [40]],
    [16 * 1024, [16 * 1024]],
    [16 * 1024 + 2, [16 * 1024 + 2, 16 * 1024 + 2]],
  ])(
    'the memory of saved bytes is used again for the next frame, up to 16 KiB: two frames of %i',
    (length, expected) => {
      const sizes = recordAllocations();
      const queue = new ByteQueue();
      for (let i = 0; i < 2; i++) {
        gatherInParts(queue, length);
        queue.dropFrame(length);
      }
      expect(sizes).toEqual(expected);
    },
  );

  test('what a frame has asked for again and again makes the next one no larger', () => {
    const sizes = recordAllocations();
    const queue = new ByteQueue();
    queue.push(Buffer.alloc(60));
    queue.gather(100);
    queue.push(Buffer.alloc(40));
    queue.gather(100);
    queue.dropFrame(100);
    gatherInParts(queue, 120);
    expect(sizes).toEqual([100, 120]);
  });

  test('a frame that asks for more a first time gets just that', () => {
    const sizes = recordAllocations();
    const queue = new ByteQueue();
    gatherInParts(queue, 100);
    queue.push(Buffer.alloc(1));
    queue.gather(101);
    expect(sizes).toEqual([100, 101]);
  });

  test('a search far beyond the length of a frame does not copy it each time', () => {
    const sizes = recordAllocations();
    const queue = new ByteQueue();
    for (let length = 1; length <= 10_000; length++) {
      queue.push(Buffer.alloc(1));
      queue.indexOf(SEMICOLON, length - 1, 100);
    }
    expect(sizes.length).toBeLessThan(30);
  });

  test.each([
    ['4 KiB that fill it', 0, 4096],
    ['4 KiB that fill half of it', 4096, 8192],
  ])('a saved frame of %s is returned in its memory', (_, start, length) => {
    const sizes = recordAllocations();
    const queue = new ByteQueue();
    gatherInParts(queue, length);
    expect(queue.takeFrame(start, length, length)).toHaveLength(length - start);
    expect(sizes).toEqual([length]);
  });

  test('a saved frame of less than 4 KiB is copied, and its memory used again', () => {
    const sizes = recordAllocations();
    const queue = new ByteQueue();
    const frames: Buffer[] = [];
    for (let i = 0; i < 2; i++) {
      gatherInParts(queue, 4092);
      frames.push(queue.takeFrame(0, 4092, 4092));
    }
    // The memory of the saved bytes, and that of two copies.
    expect(sizes.filter((size) => size === 4092)).toHaveLength(1);
    expect(frames[0]).toEqual(frames[1]);
  });

  test('a long frame leaves what a search has saved behind it', () => {
    const queue = new ByteQueue();
    queue.push(Buffer.alloc(5000, 'a'));
    queue.indexOf(SEMICOLON, 0, 6000);
    queue.push(Buffer.from('bc'));
    queue.indexOf(SEMICOLON, 0, 6000);
    expect(queue.takeFrame(0, 4999, 4999)).toEqual(Buffer.alloc(4999, 'a'));
    expect(queue.rest().toString()).toBe('abc');
  });
});

test('a frame that asks for a little more each time is not copied each time', () => {
  const sizes = recordAllocations();
  const queue = new ByteQueue();
  for (let count = 1; count <= 1000; count++) {
    queue.push(Buffer.alloc(100));
    expect(queue.gather(100 * count)).toBe(true);
    expect(queue.gather(100 * count + 1)).toBe(false);
  }
  expect(sizes.length).toBeLessThan(40);
  expect(sizes.reduce((total, size) => total + size)).toBeLessThan(10 * 100_000);
});

test('a frame whose length is known from the start gets no more memory than it needs', () => {
  const sizes = recordAllocations();
  const queue = new ByteQueue();
  for (let i = 0; i < 1000; i++) {
    queue.push(Buffer.alloc(100));
    if (i === 0) queue.gather(4);
    queue.gather(100_000);
  }
  expect(Math.max(...sizes)).toBe(100_000);
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
