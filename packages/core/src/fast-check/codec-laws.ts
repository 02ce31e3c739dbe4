// Drives a decoder the way verifyCodec needs it, and tells in words what is wrong with what it saw.
import { isDeepStrictEqual, types } from 'node:util';
import type { Codec, Decoder } from '../framing/codec.js';

/** What came of decoding an input. */
export interface Outcome<T> {
  readonly frames: readonly T[];
  /** What was thrown, boxed. */
  readonly failure: { readonly error: unknown } | undefined;
  /** The bytes of the input that are in no frame: `rest()`, and the chunks that were not pushed. */
  readonly rest: Buffer;
}

export interface DriveOptions {
  /** How many frames to take; all, and the end of the input, when left out. */
  readonly take?: number | undefined;
  /** Whether to look at `rest()` after every frame, which must change nothing. */
  readonly peek?: boolean | undefined;
  /** The most bytes that may be left in the decoder between two chunks. */
  readonly limit?: number | undefined;
}

/** What verifyCodec reports. */
class LawBroken extends Error {}

export function broken(law: string, detail: string): never {
  throw new LawBroken(`Law broken: ${law}. ${detail}`);
}

/** Decodes chunks as a socket would: the memory of a chunk is written over as soon as the decoder is done with it. */
export function drive<T>(codec: Codec<T>, chunks: readonly Uint8Array[], options: DriveOptions = {}): Outcome<T> {
  const decoder = codec.decoder();
  const take = options.take ?? Number.POSITIVE_INFINITY;
  const frames: T[] = [];
  let pushed = 0;
  let failure: { error: unknown } | undefined;
  const pull = (): boolean => {
    while (frames.length < take) {
      const frame = decoder.next();
      if (frame === undefined) return true;
      frames.push(frame);
      if (types.isUint8Array(frame) && frame.buffer === chunks[0]?.buffer) {
        broken('a frame owns its memory', 'A frame refers to the memory of a chunk.');
      }
      if (options.peek === true) checkRest(decoder.rest(), chunks, pushed);
    }
    return false;
  };
  const guard = (step: () => boolean): boolean => {
    try {
      return step();
    } catch (error) {
      if (error instanceof LawBroken) throw error;
      failure = { error };
      return false;
    }
  };
  let going = true;
  for (const chunk of chunks) {
    pushed++;
    going = guard(() => {
      decoder.push(chunk);
      return pull();
    });
    if (going || failure !== undefined) chunk.fill(0xa5);
    if (!going) break;
    const kept = decoder.rest().length;
    if (options.limit !== undefined && kept > options.limit) {
      broken('retained bytes are bounded', `${kept} bytes are left in the decoder, and the limit is ${options.limit}.`);
    }
  }
  const whole =
    going &&
    guard(() => {
      decoder.end();
      return pull();
    });
  if (whole || failure !== undefined) checkSettled(decoder, failure);
  return { frames, failure, rest: Buffer.concat([decoder.rest(), ...chunks.slice(pushed)]) };
}

/** Before a chunk is used up, what is left of it must still be told byte for byte. */
function checkRest(rest: Uint8Array, chunks: readonly Uint8Array[], pushed: number): void {
  const last = chunks[pushed - 1];
  if (last === undefined || rest.length === 0) return;
  if (rest.buffer === last.buffer) broken('rest() is a copy', 'It refers to the memory of a chunk.');
  const length = Math.min(rest.length, last.length);
  const same = Buffer.compare(rest.subarray(rest.length - length), last.subarray(last.length - length)) === 0;
  if (!same) broken('frames taken and rest() are the input', 'rest() does not end with the end of the current chunk.');
}

/** After the end there is nothing more, and an error stays. */
function checkSettled(decoder: Decoder<unknown>, failure: { readonly error: unknown } | undefined): void {
  let again: { error: unknown } | undefined;
  let frame: unknown;
  try {
    frame = decoder.next();
  } catch (error) {
    again = { error };
  }
  if (frame !== undefined) broken('there is one end', 'next() gave another frame after the end or after an error.');
  if (again?.error !== failure?.error) {
    broken('an error stays', `next() first ended with ${show(failure?.error)} and then with ${show(again?.error)}.`);
  }
}

/** Compares two outcomes for the same input. */
export function checkSame<T>(law: string, one: Outcome<T>, other: Outcome<T>, equals: (a: T, b: T) => boolean): void {
  checkFrames(law, one.frames, other.frames, equals);
  if (!isDeepStrictEqual(fields(one.failure), fields(other.failure))) {
    broken(law, `The error is ${show(one.failure?.error)} one time and ${show(other.failure?.error)} another time.`);
  }
  checkBytes(law, one.rest, other.rest);
}

export function checkFrames<T>(
  law: string,
  one: readonly T[],
  other: readonly T[],
  equals: (a: T, b: T) => boolean,
): void {
  const count = Math.max(one.length, other.length);
  for (let i = 0; i < count; i++) {
    if (i >= one.length || i >= other.length) broken(law, `There are ${one.length} frames and ${other.length} frames.`);
    if (!equals(one[i]!, other[i]!)) broken(law, `Frame ${i} is ${show(one[i])} and ${show(other[i])}.`);
  }
}

export function checkBytes(law: string, one: Buffer, other: Buffer): void {
  if (!one.equals(other)) broken(law, `What is left is ${show(one)} and ${show(other)}.`);
}

/** The message and the fields of an error, which must not depend on how the input was cut. */
function fields(failure: { readonly error: unknown } | undefined): unknown {
  const error = failure?.error;
  if (!(error instanceof Error)) return failure;
  return { ...error, type: error.constructor, name: error.name, message: error.message };
}

function show(value: unknown): string {
  if (types.isUint8Array(value)) return `<${Buffer.from(value).toString('hex')}>`;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return value === undefined ? 'none' : JSON.stringify(value);
}
