// fast-check arbitraries for code that receives bytes in chunks: ways to cut bytes, and bytes that are hard to frame.

import { types } from 'node:util';
import fc from 'fast-check';
import type { Chunk } from '../base/bytes.js';
import { checkFiniteSize, checkOptions } from '../base/check.js';

/**
 * Generates ways to cut `bytes` into chunks: one chunk, one byte at a time, cuts anywhere, with empty chunks in
 * between.
 *
 * @param bytes The bytes to cut. They are copied: the chunks are views of the copy, with a `byteOffset` that is not 0.
 * @returns An arbitrary of chunks that together are `bytes`.
 * @example
 * ```ts
 * import { linesCodec } from '@rxsock/core';
 * import { chunkings } from '@rxsock/core/fast-check';
 * import fc from 'fast-check';
 *
 * fc.assert(
 *   fc.property(chunkings(Buffer.from('one\r\ntwo\n')), (chunks) => {
 *     const decoder = linesCodec().decoder();
 *     for (const chunk of chunks) decoder.push(chunk);
 *     return decoder.next() === 'one' && decoder.next() === 'two';
 *   }),
 * );
 * ```
 */
export function chunkings(bytes: Uint8Array): fc.Arbitrary<Uint8Array[]> {
  // The last size is large enough for the rest, so that cutInto() does not start with the first size again.
  const cutAnywhere = fc.uniqueArray(fc.nat(bytes.length), { maxLength: 16 }).map((places) => {
    const cuts = places.sort((a, b) => a - b);
    const sizes = cuts.map((place, i) => place - (cuts[i - 1] ?? 0));
    return cutInto(bytes, [...sizes, bytes.length]);
  });
  return fc.oneof(
    chunkSizes().map((sizes) => cutInto(bytes, sizes)),
    cutAnywhere,
  );
}

/** Generates the sizes of chunks for {@link cutInto}. */
export function chunkSizes(): fc.Arbitrary<number[]> {
  const size = fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 2, arbitrary: fc.nat(20) }, fc.nat(5000));
  return fc.oneof(
    // One byte at a time comes first, and counts as the smallest: it has every cut, wherever the bytes are, so that
    // fast-check can leave out bytes without losing the cut that matters.
    { withCrossShrink: true },
    { weight: 2, arbitrary: fc.constant<number[]>([1]) },
    { weight: 1, arbitrary: fc.constant<number[]>([]) },
    { weight: 5, arbitrary: fc.array(size, { maxLength: 12 }) },
  );
}

/**
 * Cuts a copy of `bytes` into chunks.
 * @param sizes The sizes of the chunks. They are used one after another, and then from the first again. Without a size
 * over 0, there is one chunk.
 */
export function cutInto(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const memory = new Uint8Array(bytes.length + 2);
  memory.set(bytes, 1);
  const copy = memory.subarray(1, bytes.length + 1);
  if (!sizes.some((size) => size > 0)) return [copy];
  const chunks: Uint8Array[] = [];
  for (let at = 0, i = 0; at < copy.length; i++) {
    const size = sizes[i % sizes.length]!;
    chunks.push(copy.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

/** Options of {@link delimiterRichBytes}. */
export interface DelimiterRichOptions {
  /**
   * The largest number of pieces: delimiters, parts of delimiters, text and random bytes.
   * @defaultValue 24
   */
  readonly maxPieces?: number | undefined;
}

/** Invalid UTF-8, a byte order mark and a NUL. */
const unusualBytes = [[0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0x80], [0xff], [0xef, 0xbb, 0xbf], [0]].map(bytesOf);

/**
 * Generates bytes with many delimiters: whole delimiters, their beginnings and endings alone, and between them text,
 * invalid UTF-8 and random bytes.
 *
 * @param delimiters One delimiter or several. A string is encoded as UTF-8.
 * @throws At the call: TypeError or RangeError for an option with an invalid value; Error for an empty array.
 *
 * @example
 * ```ts
 * import { delimiterRichBytes } from '@rxsock/core/fast-check';
 * import fc from 'fast-check';
 *
 * console.log(fc.sample(delimiterRichBytes('\r\n'), 3));
 * ```
 */
export function delimiterRichBytes(
  delimiters: Chunk | readonly Chunk[],
  options: DelimiterRichOptions = {},
): fc.Arbitrary<Uint8Array> {
  checkOptions(options, '{ maxPieces: 10 }');
  const { maxPieces = 24 } = options;
  checkFiniteSize('maxPieces', maxPieces);
  const list = typeof delimiters === 'string' || types.isUint8Array(delimiters) ? [delimiters] : delimiters;
  const whole = fc.constantFrom(...list.map(bytesOf));
  const part = fc.tuple(whole, fc.nat(), fc.boolean()).map(([delimiter, place, beginning]) => {
    const at = place % delimiter.length;
    return beginning ? delimiter.subarray(0, at) : delimiter.subarray(at);
  });
  const piece = fc.oneof(
    { weight: 4, arbitrary: whole },
    { weight: 3, arbitrary: part },
    { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }).map(bytesOf) },
    { weight: 1, arbitrary: fc.constantFrom(...unusualBytes) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 8 }) },
  );
  return fc.array(piece, { maxLength: maxPieces }).map((pieces) => new Uint8Array(Buffer.concat(pieces)));
}

function bytesOf(chunk: Chunk | readonly number[]): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk) : Uint8Array.from(chunk);
}
