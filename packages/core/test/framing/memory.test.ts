// How much a decoder copies, scans and keeps. The tests count work; they do not measure time.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { batchCodec } from '../../src/framing/batch.js';
import { ByteQueue } from '../../src/framing/byte-queue.js';
import type { Codec } from '../../src/framing/codec.js';
import { delimitedCodec } from '../../src/framing/delimited.js';
import { fixedLengthCodec } from '../../src/framing/fixed-length.js';
import { lengthPrefixedCodec } from '../../src/framing/length-prefixed.js';
import { type LinesOptions, linesCodec } from '../../src/framing/lines.js';
import { netstringsCodec } from '../../src/framing/netstrings.js';
import { wholeInputCodec } from '../../src/framing/whole-input.js';
import { pullAll } from './support.js';

/** The number of bytes that native byte operations have processed since the test began. */
let work = 0;

const bytesProto = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;

beforeEach(() => {
  work = 0;
  count(bytesProto, 'set', (_, [source]) => (source as Uint8Array).length);
  count(Buffer.prototype, 'copy', (copied) => copied as number);
  count(Buffer.prototype, 'toString', (text) => (text as string).length);
  count(Buffer.prototype, 'indexOf', (found, [, from], bytes) => span(found, from ?? 0, bytes.length));
  count(Buffer.prototype, 'lastIndexOf', (found, [, from]) => (from as number) - Math.max(found as number, 0) + 1);
  const concat = Buffer.concat;
  vi.spyOn(Buffer, 'concat').mockImplementation((list, length) => {
    const joined = concat(list, length);
    work += joined.length;
    return joined;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

function span(found: unknown, from: unknown, length: number): number {
  return (found === -1 ? length : (found as number) + 1) - (from as number);
}

/** Counts what a method processes, given its result and arguments. */
function count(
  proto: object,
  name: string,
  size: (result: unknown, args: unknown[], self: Uint8Array) => number,
): void {
  const methods = proto as Record<string, (...args: unknown[]) => unknown>;
  const original = methods[name]!;
  vi.spyOn(methods, name).mockImplementation(function (this: unknown, ...args: unknown[]) {
    const result = original.apply(this, args);
    work += size(result, args, this as Uint8Array);
    return result;
  });
}

const KIB = 1024;

/** A frame with `length` bytes of payload, as it is on the wire. */
const formats: [string, (length: number) => Codec<unknown>, (length: number) => Buffer][] = [
  ['lines', (n) => linesCodec({ maxLength: n }), (n) => Buffer.alloc(n + 1, 'x').fill('\n', n)],
  [
    'lines, CR LF',
    (n) => linesCodec({ maxLength: n, delimiter: '\r\n' }),
    (n) => Buffer.alloc(n + 2, '\r').fill('\n', n + 1),
  ],
  ['delimited', (n) => delimitedCodec('aaab', { maxLength: n }), (n) => Buffer.alloc(n + 4, 'a').fill('b', n + 3)],
  ['fixedLength', (n) => fixedLengthCodec(n), (n) => Buffer.alloc(n, 'x')],
  ['netstrings', () => netstringsCodec(), (n) => Buffer.from(netstringsCodec().encode('x'.repeat(n)))],
  [
    'lengthPrefixed',
    () => lengthPrefixedCodec({ lengthField: 4 }),
    (n) => Buffer.from(lengthPrefixedCodec({ lengthField: 4 }).encode('x'.repeat(n))),
  ],
];

describe.each(formats)('linear work: %s', (_, codec, frame) => {
  const workFor = (input: Buffer, size: number, length: number, hoard = false): number => {
    const decoder = codec(length).decoder();
    let frames = 0;
    work = 0;
    for (let at = 0; at < input.length; at += size) {
      decoder.push(input.subarray(at, at + size));
      if (!hoard) frames += pullAll(decoder).length;
    }
    if (hoard) frames = pullAll(decoder).length;
    expect(frames).toBe(input.length / frame(length).length);
    return work / input.length;
  };

  test.each([1, 3, 100])('decodes one long frame in chunks of %i', (size) => {
    expect(workFor(frame(32 * KIB), size, 32 * KIB)).toBeLessThan(8);
  });

  test.each([1, 3, 1000])('decodes many short frames in chunks of %i', (size) => {
    expect(workFor(Buffer.concat(Array(1000).fill(frame(16))), size, 16)).toBeLessThan(8);
  });

  test('decodes many frames, short and long, from one chunk', () => {
    expect(workFor(Buffer.concat(Array(4000).fill(frame(16))), 1e9, 16)).toBeLessThan(8);
    expect(workFor(Buffer.concat(Array(40).fill(frame(20 * KIB))), 1e9, 20 * KIB)).toBeLessThan(8);
  });

  test('decodes bytes that are all pushed one by one before the first frame is taken', () => {
    expect(workFor(Buffer.concat(Array(1000).fill(frame(16))), 1, 16, true)).toBeLessThan(12);
  });
});

test('copies a frame once if it lies in one chunk, and never copies an assembled frame again', () => {
  const decoder = fixedLengthCodec(20 * KIB).decoder();
  const input = Buffer.alloc(200 * KIB);
  decoder.push(input);
  expect(pullAll(decoder)).toHaveLength(10);
  expect(work).toBe(input.length);
  const short = fixedLengthCodec(128).decoder();
  short.push(input);
  expect(pullAll(short)).toHaveLength(input.length / 128);
  expect(work).toBe(2 * input.length);
  const copy = vi.mocked(Buffer.prototype.copy).mockClear();
  for (let at = 0; at < input.length; at += KIB) {
    decoder.push(input.subarray(at, at + KIB));
    pullAll(decoder);
  }
  // The parts are copied, as they come.
  expect(Math.max(...copy.mock.calls.map(([, , start = 0, end = 0]) => end - start))).toBe(KIB);
});

test('takes all bytes with rest(), in chunks of one byte', () => {
  const decoder = wholeInputCodec(32 * KIB).decoder();
  for (let i = 0; i < 32 * KIB; i++) {
    decoder.push(Uint8Array.of(i));
    expect(decoder.next()).toBeUndefined();
  }
  decoder.end();
  expect(decoder.next()).toHaveLength(32 * KIB);
  expect(work / (32 * KIB)).toBeLessThan(8);
});

test('small chunks of a batch are joined', () => {
  const decoder = batchCodec(linesCodec(), 70_000).decoder();
  const chunk = Buffer.from('\n');
  const join = vi.spyOn(Buffer, 'concat');
  for (let i = 0; i < 16_384; i++) {
    decoder.push(chunk);
    expect(decoder.next()).toBeUndefined();
  }
  expect(Buffer.compare(decoder.rest(), Buffer.alloc(16_384, '\n'))).toBe(0);
  // Blocks of 4 KiB.
  expect(join.mock.lastCall?.[0].length).toBeLessThanOrEqual(5);
});

test('a short line before a long one does not cause the long one to be searched repeatedly', () => {
  const decoder = linesCodec().decoder();
  const input = Buffer.from(`\n${'x'.repeat(9 * KIB)}\n`.repeat(20));
  decoder.push(input);
  expect(pullAll(decoder)).toHaveLength(40);
  expect(work / input.length).toBeLessThan(5);
});

describe('memory that a frame keeps alive', () => {
  const PIECE = 8 * KIB;
  const input = (codec: Codec<Buffer>, payload: Buffer, times: number) =>
    Buffer.concat(Array<Uint8Array>(times).fill(codec.encode(payload) as Uint8Array));

  test.each([
    ['delimited', delimitedCodec('\0')],
    ['netstrings', netstringsCodec()],
    ['lengthPrefixed', lengthPrefixedCodec({ lengthField: 4 })],
    ['fixedLength', fixedLengthCodec(10)],
  ] as [string, Codec<Buffer>][])('a short frame of %s holds 8 KiB at most, however it came', (_, codec) => {
    const bytes = input(codec, Buffer.alloc(10, 'x'), 20_000);
    for (const size of [1 << 20, 1000, 7]) {
      const decoder = codec.decoder();
      for (let at = 0; at < bytes.length; at += size) {
        decoder.push(bytes.subarray(at, at + size));
        for (const frame of pullAll(decoder)) {
          if (frame.buffer.byteLength > PIECE) expect.fail(`${frame.buffer.byteLength} bytes are held`);
        }
      }
    }
  });

  test('a long frame keeps at most twice its length', () => {
    const codec = lengthPrefixedCodec({ lengthField: 4 });
    const bytes = input(codec, Buffer.alloc(100 * KIB, 'x'), 3);
    for (const size of [1 << 20, 64 * KIB, 1000]) {
      const decoder = codec.decoder();
      for (let at = 0; at < bytes.length; at += size) {
        decoder.push(bytes.subarray(at, at + size));
        for (const frame of pullAll(decoder)) expect(frame.buffer.byteLength).toBeLessThanOrEqual(200 * KIB);
      }
    }
  });

  test.each([10, 5 * KIB])('a frame of %i bytes does not keep the bytes that were dropped before it', (length) => {
    const codec = lengthPrefixedCodec({ lengthField: 4, offset: 100 * KIB });
    const decoder = codec.decoder();
    const bytes = codec.encode(Buffer.alloc(length));
    decoder.push(bytes.subarray(0, 50));
    expect(decoder.next()).toBeUndefined();
    decoder.push(bytes.subarray(50));
    const frame = decoder.next()!;
    expect(frame).toHaveLength(length);
    expect(frame.buffer.byteLength).toBeLessThanOrEqual(Math.max(PIECE, 2 * length));
  });

  test.each([10, 1000, 5 * KIB, 15 * KIB, 20 * KIB])(
    'frames of %i bytes that are assembled from pieces share no memory',
    (length) => {
      const codec = lengthPrefixedCodec({ lengthField: 4 });
      const decoder = codec.decoder();
      const frames = [1, 2, 3].map((byte) => {
        const bytes = codec.encode(Buffer.alloc(length, byte));
        decoder.push(bytes.subarray(0, length / 2));
        expect(decoder.next()).toBeUndefined();
        decoder.push(bytes.subarray(length / 2));
        return decoder.next();
      });
      expect(frames).toEqual([1, 2, 3].map((byte) => Buffer.alloc(length, byte)));
    },
  );

  test('lines are decoded in runs of at most 8 KiB, or one by one', () => {
    const decode = vi.spyOn(Buffer.prototype, 'toString');
    const decoder = linesCodec().decoder();
    decoder.push(Buffer.from(`${'x'.repeat(63)}\n`.repeat(10_000)));
    expect(pullAll(decoder)).toHaveLength(10_000);
    const texts = decode.mock.results.map((result) => (result.value as string).length);
    expect(Math.max(...texts)).toBe(8 * KIB);
  });
});

describe('memory that a decoder keeps alive', () => {
  /** The largest single allocation for bytes, and what the decoder holds at the end. */
  const largestAllocation = (run: () => void): number => {
    const sizes = [vi.spyOn(Buffer, 'allocUnsafe'), vi.spyOn(Buffer, 'allocUnsafeSlow'), vi.spyOn(Buffer, 'alloc')];
    run();
    return Math.max(0, ...sizes.flatMap((spy) => spy.mock.calls.map(([size]) => size)));
  };

  test('a declared length allocates nothing before its bytes arrive', () => {
    const decoder = lengthPrefixedCodec({ lengthField: 4 }).decoder();
    const most = largestAllocation(() => {
      decoder.push(Uint8Array.of(1, 0, 0, 0));
      expect(decoder.next()).toBeUndefined();
      for (let i = 0; i < 100; i++) {
        decoder.push(Buffer.alloc(10));
        expect(decoder.next()).toBeUndefined();
      }
    });
    expect(most).toBeLessThanOrEqual(2 * 1004);
  });

  test('a length over the limit is rejected from its header alone', () => {
    const most = largestAllocation(() => {
      const decoder = lengthPrefixedCodec({ lengthField: 4 }).decoder();
      decoder.push(Uint8Array.of(0x7f, 0xff, 0xff, 0xff));
      expect(() => decoder.next()).toThrow(expect.objectContaining({ code: 'ERR_FRAME_TOO_LONG' }));
    });
    expect(most).toBeLessThanOrEqual(256);
  });

  test.each<[string, LinesOptions]>([
    ['error', {}],
    ['discard', { oversize: 'discard' }],
    ['discard, CR LF', { oversize: 'discard', delimiter: '\r\n' }],
  ])('an endless line keeps at most the limit, and with %s no more', (_, options) => {
    const limit = 1000;
    const decoder = linesCodec({ ...options, maxLength: limit }).decoder();
    const chunk = Buffer.alloc(300, 'x');
    let most = 0;
    const memory = largestAllocation(() => {
      for (let i = 0; i < 40; i++) {
        try {
          decoder.push(chunk);
          expect(decoder.next()).toBeUndefined();
        } catch (error) {
          expect(error).toMatchObject({ limit });
        }
        most = Math.max(most, decoder.rest().length);
      }
    });
    expect(most).toBeLessThanOrEqual(limit + 2 + chunk.length);
    expect(memory).toBeLessThanOrEqual(limit + 2 + chunk.length);
    expect(decoder.rest().length).toBe(options.oversize === 'discard' ? 0 : 1200);
  });

  test('skipping a line far over the limit does not copy it', () => {
    const decoder = linesCodec({ maxLength: 1000, oversize: 'discard' }).decoder();
    const chunk = Buffer.from(`${'x'.repeat(100 * KIB)}\nnext\n`);
    const memory = largestAllocation(() => {
      decoder.push(Buffer.from('begun'));
      expect(decoder.next()).toBeUndefined();
      decoder.push(chunk);
      expect(decoder.next()).toBe('next');
    });
    expect(memory).toBeLessThanOrEqual(1002);
  });

  test('a chunk that is used up is released', () => {
    const queue = new ByteQueue();
    queue.push(Buffer.alloc(100));
    queue.save(60, 100);
    expect(queue.chunk).toHaveLength(100);
    queue.save(40, 100);
    expect(queue.chunk).toHaveLength(0);
    queue.dropFrame(100);
    queue.push(Buffer.alloc(100));
    queue.advance(100);
    expect(queue.chunk).toHaveLength(0);
  });

  test('the memory of a long frame is released with it', () => {
    const queue = new ByteQueue();
    for (const size of [100 * KIB, 10 * KIB]) {
      queue.push(Buffer.alloc(size));
      queue.save(size, size);
      const memory = queue.buffer;
      queue.dropFrame(size);
      queue.push(Buffer.alloc(1));
      queue.save(1, 10);
      // Short buffers are reused, so that a frame that is cut by every chunk does not allocate each time.
      expect(queue.buffer === memory).toBe(size < 16 * KIB);
      queue.dropFrame(1);
    }
  });
});
