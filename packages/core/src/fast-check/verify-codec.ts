// verifyCodec(): checks the laws of framing for any codec.
import fc from 'fast-check';
import {
  checkFiniteSize,
  checkFunction,
  checkInteger,
  checkObject,
  checkOptions,
  checkSize,
  checkString,
  typeError,
} from '../base/check.js';
import type { Codec } from '../framing/codec.js';
import { chunkSizes } from './arbitraries.js';
import { brokenBytes, type CodecCase, checkCase, lengthOfCase } from './codec-case.js';
import { LawViolation, showReplay } from './codec-laws.js';
import type { Equals } from './compare-results.js';
import { withFewestCuts } from './fewest-cuts.js';
import { ShrinkLimit } from './limit-shrinking.js';
import { checkLinearTime } from './linear-time.js';
import { sameValue } from './same-value.js';

/** Options of {@link verifyCodec}. */
export interface VerifyCodecOptions<T> {
  /** Generates values that the codec can encode, and that it decodes to equal values. */
  readonly values: fc.Arbitrary<T>;
  /**
   * Returns whether two frames are equal.
   * @defaultValue compares like `isDeepStrictEqual`, but bytes whatever their class (a Buffer equals a Uint8Array), and
   * objects without a prototype like plain objects
   */
  readonly equals?: ((a: T, b: T) => boolean) | undefined;
  /**
   * Generates bytes that a hostile or broken peer may send.
   * @defaultValue random bytes, and encoded values with one byte changed and the end cut off
   */
  readonly inputs?: fc.Arbitrary<Uint8Array> | undefined;
  /**
   * How many bytes of an unfinished frame the decoder may keep, with its delimiter or header. For a meaningful check,
   * `inputs` must generate longer frames.
   * @defaultValue not checked
   */
  readonly limit?: number | undefined;
  /**
   * How many random cases to try.
   * @defaultValue 100
   */
  readonly numRuns?: number | undefined;
  /**
   * The seed of the random cases. A failure reports it; pass it to repeat that failure.
   * @defaultValue a random seed
   */
  readonly seed?: number | undefined;
  /**
   * The path to one case. A failure reports it; pass it together with `seed` to run only the counterexample.
   * @defaultValue all cases
   */
  readonly path?: string | undefined;
}

/**
 * Tries a codec with random values, hostile bytes and random cuts, and checks the laws of framing:
 *
 * - **Chunking**: the frames, the error with its message and fields, and `rest()` do not depend on how the bytes were
 *   cut.
 * - **Round trip**: encoded values are decoded to equal values, with nothing left.
 * - **Order**: the frames before a bad frame are returned first.
 * - **Progress**: frames use up the input. No more than 1,000 frames and 64 for each byte are accepted.
 * - **Stable error**: after an error, `next()` throws the same error object again.
 * - **Memory**: a frame does not share memory with a chunk. A chunk may be overwritten once `next()` has returned
 *   `undefined` or has thrown. With `limit`, the decoder keeps no more bytes of an unfinished frame than that.
 * - **One end**: no frame follows the end or an error.
 * - **Rest**: the frames returned and `rest()` together are the input, wherever you stop. Calling `rest()` changes
 *   nothing, and neither does overwriting the bytes that it has returned.
 * - **Decoder**: `decoder()` returns an object with the four methods.
 * - **Linear time**: twice as many bytes take about twice the work, one byte at a time and in one chunk. It decodes
 *   frames again and again, and a frame that does not end, and doubles the length up to 2 MiB. It counts the bytes that
 *   are copied or searched with the methods of Buffer and Uint8Array (it replaces these methods while it counts), and
 *   it measures processor time. An exponent over 1.5 breaks the law: one count, or three measurements of time in a row.
 *
 * It needs the optional peer dependency `fast-check`, version 4.
 *
 * @param codec The codec to check. Each decoder is used for one input.
 * @throws At the call: Error if the codec breaks a law. The message names the law and tells the smallest counterexample
 * found: these bytes, cut here, gave this instead of that. The seed and the path follow.
 * @throws At the call: TypeError for something that is not a codec; TypeError or RangeError for an option with an
 * invalid value.
 *
 * @example
 * ```ts
 * import { netstringsCodec } from '@rxsock/core';
 * import { verifyCodec } from '@rxsock/core/fast-check';
 * import fc from 'fast-check';
 *
 * verifyCodec(netstringsCodec(), { values: fc.uint8Array().map((bytes) => Buffer.from(bytes)) });
 * ```
 */
export function verifyCodec<T>(codec: Codec<T>, options: VerifyCodecOptions<T>): void {
  checkObject('codec', codec, 'a codec, such as linesCodec()');
  checkVerifyOptions(options);
  const { values, equals = sameValue, inputs = brokenBytes(codec, values), limit, numRuns = 100, seed, path } = options;
  const cases: fc.Arbitrary<CodecCase<T>> = fc.record({
    values: fc.array(values, { maxLength: 8 }),
    hostile: inputs,
    sizes: chunkSizes(),
    take: fc.nat(10),
  });
  const shrinking = new ShrinkLimit();
  const property = fc.property(cases, (each) => {
    if (shrinking.isOver) return;
    try {
      checkCase(codec, each, equals, limit);
    } catch (error) {
      shrinking.failed();
      throw error;
    }
  });
  const result = fc.check(property, {
    numRuns,
    ...(seed !== undefined && { seed }),
    ...(path !== undefined && { path }),
  });
  if (result.failed) throw failureOf(codec, result, equals, limit);
  // A path is a path to one case, and this law has none.
  if (path === undefined) checkLinearTime(codec, values, inputs, result.seed);
}

function failureOf<T>(
  codec: Codec<T>,
  result: fc.RunDetails<[CodecCase<T>]>,
  equals: Equals<T>,
  limit: number | undefined,
): Error {
  const { counterexample, errorInstance } = result;
  if (!(errorInstance instanceof LawViolation) || counterexample === null)
    return new Error(fc.defaultReportMessage(result) ?? 'No case was tried', { cause: errorInstance });
  const [found] = counterexample;
  const violation = withFewestCuts(errorInstance, found.sizes, lengthOfCase(codec, found), (sizes) =>
    checkCase(codec, { ...found, sizes }, equals, limit),
  );
  return new Error(`${violation.message}\n\n${showReplay(result)}`, { cause: violation });
}

function checkVerifyOptions<T>(options: VerifyCodecOptions<T>): void {
  checkOptions(options, '{ values: fc.uint8Array() }');
  const { values, equals = sameValue, inputs = values, limit = 1, numRuns = 100, seed = 0, path } = options;
  checkArbitrary('values', values);
  checkFunction('equals', equals);
  checkArbitrary('inputs', inputs);
  checkSize('limit', limit);
  checkFiniteSize('numRuns', numRuns);
  checkInteger('seed', seed);
  if (path !== undefined) checkString('path', path);
}

function checkArbitrary(name: string, value: unknown): void {
  if (typeof (value as Partial<fc.Arbitrary<unknown>> | null)?.generate !== 'function')
    throw typeError(name, 'an arbitrary of fast-check', value);
}
