// fast-check arbitraries for code that takes bytes in pieces: the pieces, and bytes that are hard to split.
import fc from 'fast-check';
import type { Chunk } from '../framing/codec.js';

/**
 * Every way to cut `bytes` into chunks: as one, one byte at a time, anywhere, with empty chunks between. The chunks are
 * `Uint8Array`s over a copy of the bytes, and do not begin at the beginning of their memory.
 *
 * @example
 * ```ts
 * import { linesCodec } from '@rxsock/core';
 * import { chunkings } from '@rxsock/core/testing';
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
  // The last size takes in all that is left, so that the sizes are not begun again.
  const cutAnywhere = fc.uniqueArray(fc.nat(bytes.length), { maxLength: 16 }).map((places) => {
    const cuts = places.sort((a, b) => a - b);
    const sizes = cuts.map((place, i) => place - (cuts[i - 1] ?? 0));
    return cut(bytes, [...sizes, bytes.length]);
  });
  return fc.oneof(
    chunkSizes().map((sizes) => cut(bytes, sizes)),
    cutAnywhere,
  );
}

/** Sizes of chunks, to be used in turn and over again by {@link cut}; none at all is one chunk. */
export function chunkSizes(): fc.Arbitrary<number[]> {
  const size = fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 2, arbitrary: fc.nat(20) }, fc.nat(5000));
  return fc.oneof(
    { weight: 1, arbitrary: fc.constant<number[]>([]) },
    { weight: 2, arbitrary: fc.constant<number[]>([1]) },
    { weight: 5, arbitrary: fc.array(size, { maxLength: 12 }) },
  );
}

/** Cuts a copy of `bytes` into chunks of the given sizes, which are used in turn and over again. */
export function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
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

/** How long the bytes of {@link delimiterRichBytes} may get. */
export interface DelimiterRichOptions {
  /**
   * The most pieces: delimiters, parts of them, text and random bytes.
   *
   * @defaultValue 24
   */
  readonly maxPieces?: number | undefined;
}

/** UTF-8 that does not hold together, and a byte order mark. */
const oddities = [[0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0x80], [0xff], [0xef, 0xbb, 0xbf], [0]].map(bytesOf);

/**
 * Bytes in which delimiters are many: whole ones, their beginnings and ends by themselves, and between them text, broken
 * UTF-8 and random bytes.
 *
 * @example
 * ```ts
 * import { delimiterRichBytes } from '@rxsock/core/testing';
 * import fc from 'fast-check';
 *
 * console.log(fc.sample(delimiterRichBytes('\r\n'), 3));
 * ```
 *
 * @param delimiters - One delimiter or several; a string is taken as UTF-8.
 */
export function delimiterRichBytes(
  delimiters: Chunk | readonly Chunk[],
  options: DelimiterRichOptions = {},
): fc.Arbitrary<Uint8Array> {
  const list = typeof delimiters === 'string' || delimiters instanceof Uint8Array ? [delimiters] : delimiters;
  const whole = fc.constantFrom(...list.map(bytesOf));
  const part = fc.tuple(whole, fc.nat(), fc.boolean()).map(([delimiter, place, beginning]) => {
    const at = place % delimiter.length;
    return beginning ? delimiter.subarray(0, at) : delimiter.subarray(at);
  });
  const piece = fc.oneof(
    { weight: 4, arbitrary: whole },
    { weight: 3, arbitrary: part },
    { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }).map(bytesOf) },
    { weight: 1, arbitrary: fc.constantFrom(...oddities) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 8 }) },
  );
  return fc.array(piece, { maxLength: options.maxPieces ?? 24 }).map((pieces) => new Uint8Array(Buffer.concat(pieces)));
}

function bytesOf(chunk: Chunk | readonly number[]): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk) : Uint8Array.from(chunk);
}
