// One random case of verifyCodec(): decodes the same bytes in several ways and compares the results.
import fc from 'fast-check';
import { toBytes } from '../base/bytes.js';
import type { Codec } from '../framing/codec.js';
import { LAWS, reportRefusedValue, reportViolation } from './codec-laws.js';
import { showFailure } from './codec-story.js';
import { type Equals, expectFrames, expectRest, expectSameResult } from './compare-results.js';
import { type DecodeResult, type DecodeWay, decodeInput } from './decode-input.js';

/** One random case of verifyCodec(). */
export interface CodecCase<T> {
  readonly values: readonly T[];
  /** Hostile bytes, which follow the encoded values. */
  readonly hostile: Uint8Array;
  /** The sizes of the chunks. */
  readonly sizes: readonly number[];
  /** After how many frames to stop in the middle of the input. */
  readonly take: number;
}

/** Throws a LawViolation if the codec breaks a law with this case. */
export function checkCase<T>(
  codec: Codec<T>,
  { values, hostile, sizes, take }: CodecCase<T>,
  equals: Equals<T>,
  limit?: number,
): void {
  const frames = values.map((value) => encode(codec, value));
  const good = Buffer.concat(frames);
  const input = Buffer.concat([good, hostile]);

  // Checks the memory law first: a decoder that uses a chunk for too long breaks the other laws too, in confusing ways.
  const decode = (bytes: Uint8Array, way: DecodeWay): DecodeResult<T> => {
    const undisturbed = decodeInput(codec, bytes, { ...way, keepChunks: true });
    const result = decodeInput(codec, bytes, way);
    expectSameResult(LAWS.reusableMemory, undisturbed, result, equals, ', as when chunks are not overwritten');
    return result;
  };
  const inChunks = { sizes, limit };
  const inOneChunk = { sizes: [] };

  const decoded = decode(good, inOneChunk);
  expectFrames(LAWS.roundTrip, values, decoded, equals);
  if (decoded.failure) reportViolation(LAWS.roundTrip, decoded, 'no error', showFailure(decoded.failure));
  expectRest(LAWS.roundTrip, Buffer.alloc(0), decoded);
  expectSameResult(LAWS.chunking, decoded, decode(good, inChunks), equals);

  const whole = decode(input, inOneChunk);
  expectFrames(LAWS.order, values, { ...whole, frames: whole.frames.slice(0, values.length) }, equals);
  expectSameResult(LAWS.chunking, whole, decode(input, inChunks), equals);
  expectSameResult(LAWS.pureRest, whole, decode(input, { sizes, callRest: true }), equals);
  expectSameResult(LAWS.chunking, decode(hostile, inOneChunk), decode(hostile, inChunks), equals);
  expectRest(LAWS.wholeInput, input.subarray(input.length - whole.rest.length), whole);

  const part = decodeInput(codec, input, { sizes, take });
  // The ends of the frames in hostile bytes are not known: there, the decoder is compared with itself.
  const rest =
    take <= values.length
      ? Buffer.concat([...frames.slice(take), hostile])
      : decodeInput(codec, input, { ...inOneChunk, take }).rest;
  expectRest(LAWS.wholeInput, rest, part);
}

/** How many bytes the longest input of a case has. */
export function lengthOfCase<T>(codec: Codec<T>, { values, hostile }: CodecCase<T>): number {
  try {
    return values.reduce((sum, value) => sum + toBytes(codec.encode(value)).length, hostile.length);
  } catch {
    // No input was decoded: encode() refuses a value.
    return 0;
  }
}

function encode<T>(codec: Codec<T>, value: T): Buffer {
  try {
    // A copy, because brokenBytes() changes it.
    return Buffer.from(toBytes(codec.encode(value)));
  } catch (error) {
    return reportRefusedValue(value, error);
  }
}

/** Random bytes, and encoded values with one byte changed and the end cut off. */
export function brokenBytes<T>(codec: Codec<T>, values: fc.Arbitrary<T>): fc.Arbitrary<Uint8Array> {
  const mutated = fc
    .tuple(fc.array(values, { minLength: 1, maxLength: 3 }), fc.nat(), fc.nat(255), fc.nat())
    .map(([some, place, byte, end]) => {
      let bytes: Buffer;
      try {
        bytes = Buffer.concat(some.map((value) => encode(codec, value)));
      } catch {
        // checkCase() reports values that encode() refuses.
        return new Uint8Array();
      }
      if (bytes.length === 0) return bytes;
      bytes[place % bytes.length] = byte;
      return bytes.subarray(0, 1 + (end % bytes.length));
    });
  return fc.oneof(fc.uint8Array({ maxLength: 64 }), mutated);
}
