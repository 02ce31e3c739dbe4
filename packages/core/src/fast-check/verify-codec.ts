// Checks the laws of framing for anybody's codec.
import { isDeepStrictEqual, types } from 'node:util';
import fc from 'fast-check';
import type { Codec } from '../framing/codec.js';
import { chunkSizes, cut } from './arbitraries.js';
import { broken, checkBytes, checkFrames, checkSame, drive } from './codec-laws.js';

/** What to try a codec with. */
export interface VerifyCodecOptions<T> {
  /** Values that the codec can encode and that come back the same. */
  readonly values: fc.Arbitrary<T>;
  /**
   * Whether two frames are the same.
   *
   * @defaultValue bytes are compared as bytes, whatever their class, and all else as `isDeepStrictEqual` does
   */
  readonly equals?: ((a: T, b: T) => boolean) | undefined;
  /**
   * Bytes that a hostile or broken peer may send.
   *
   * @defaultValue random bytes, and encoded values with a byte changed or the end cut off
   */
  readonly inputs?: fc.Arbitrary<Uint8Array> | undefined;
  /**
   * The most bytes that the decoder may keep of an unfinished frame, delimiter or header included. Give `inputs` that
   * are longer, or this says little.
   *
   * @defaultValue not checked
   */
  readonly limit?: number | undefined;
  /**
   * How many cases to try.
   *
   * @defaultValue 100
   */
  readonly numRuns?: number | undefined;
  /** The seed that a failure reported, to see it again. */
  readonly seed?: number | undefined;
  /** The path that a failure reported, to go to the counterexample at once. */
  readonly path?: string | undefined;
}

/**
 * Tries a codec with random values, hostile bytes and random cuts, and checks that
 *
 * 1. the frames, the error with its message and fields, and `rest()` do not depend on how the bytes were cut;
 * 2. what was encoded is decoded to the same values, with nothing left;
 * 3. frames before a bad one are given first, and the error stays;
 * 4. a frame owns its memory, and a chunk's may be written over when `next()` has given `undefined`; with `limit`, that
 *    no more than so many bytes are kept;
 * 5. nothing comes after the end;
 * 6. the frames taken and `rest()` are together the input, wherever one stops, and `rest()` changes nothing.
 *
 * It does not measure time. It needs `fast-check`, version 4, an optional peer dependency.
 *
 * @example
 * ```ts
 * import { netstringsCodec } from '@rxsock/core';
 * import { verifyCodec } from '@rxsock/core/testing';
 * import fc from 'fast-check';
 *
 * verifyCodec(netstringsCodec(), { values: fc.uint8Array().map((bytes) => Buffer.from(bytes)) });
 * ```
 *
 * @throws Error that names the law which does not hold, with the smallest counterexample found, its seed and its path.
 */
export function verifyCodec<T>(codec: Codec<T>, options: VerifyCodecOptions<T>): void {
  const equals = options.equals ?? sameFrame;
  const cases = fc.record({
    values: fc.array(options.values, { maxLength: 8 }),
    hostile: options.inputs ?? brokenBytes(codec, options.values),
    sizes: chunkSizes(),
    take: fc.nat(10),
  });
  const result = fc.check(
    fc.property(cases, ({ values, hostile, sizes, take }) => {
      const frames = values.map((value) => encoded(codec, value));
      const good = Buffer.concat(frames);

      const back = drive(codec, cut(good, sizes), { limit: options.limit });
      if (back.failure !== undefined) broken('round trip', `Decoding what was encoded failed: ${back.failure.error}`);
      checkFrames('round trip', values, back.frames, equals);
      checkBytes('round trip', back.rest, Buffer.alloc(0));

      const input = Buffer.concat([good, hostile]);
      const whole = drive(codec, cut(input, []));
      checkSame('chunking changes nothing', whole, drive(codec, cut(input, sizes), { limit: options.limit }), equals);
      checkSame('rest() changes nothing', whole, drive(codec, cut(input, sizes), { peek: true }), equals);
      checkSame('chunking changes nothing', drive(codec, cut(hostile, [])), drive(codec, cut(hostile, sizes)), equals);
      checkFrames('frames before a bad one come first', values, whole.frames.slice(0, values.length), equals);
      checkBytes('rest() is the end of the input', whole.rest, input.subarray(input.length - whole.rest.length));

      const part = drive(codec, cut(input, sizes), { take });
      const left = take <= values.length ? rests(frames, take, hostile) : drive(codec, cut(input, []), { take }).rest;
      checkBytes('frames taken and rest() are the input', part.rest, left);
    }),
    {
      numRuns: options.numRuns ?? 100,
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      ...(options.path === undefined ? {} : { path: options.path }),
    },
  );
  if (!result.failed) return;
  const { errorInstance } = result;
  const reason = errorInstance instanceof Error ? errorInstance.message : String(errorInstance ?? 'No case was tried.');
  throw new Error(`${reason}\n\n${fc.defaultReportMessage(result) ?? ''}`, { cause: errorInstance });
}

function rests(frames: readonly Buffer[], take: number, hostile: Uint8Array): Buffer {
  return Buffer.concat([...frames.slice(take), hostile]);
}

function encoded<T>(codec: Codec<T>, value: T): Buffer {
  try {
    const chunk = codec.encode(value);
    return typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk);
  } catch (error) {
    return broken('round trip', `encode() refused one of the values: ${error}`);
  }
}

/** Random bytes, and encoded values with one byte changed and the end cut off. */
function brokenBytes<T>(codec: Codec<T>, values: fc.Arbitrary<T>): fc.Arbitrary<Uint8Array> {
  const mutated = fc
    .tuple(fc.array(values, { minLength: 1, maxLength: 3 }), fc.nat(), fc.nat(255), fc.nat())
    .map(([some, place, byte, end]) => {
      let bytes: Buffer;
      try {
        bytes = Buffer.concat(some.map((value) => encoded(codec, value)));
      } catch {
        // The property itself is the place where a refused value is reported.
        return new Uint8Array();
      }
      if (bytes.length === 0) return bytes;
      bytes[place % bytes.length] = byte;
      return bytes.subarray(0, 1 + (end % bytes.length));
    });
  return fc.oneof(fc.uint8Array({ maxLength: 64 }), mutated);
}

function sameFrame(a: unknown, b: unknown): boolean {
  if (types.isUint8Array(a) && types.isUint8Array(b)) return Buffer.compare(a, b) === 0;
  return isDeepStrictEqual(a, b);
}
