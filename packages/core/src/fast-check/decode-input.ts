// Decodes one input in the ways that verifyCodec() compares, and checks the laws that hold at every step.
import { types } from 'node:util';
import type { Codec, Decoder } from '../framing/codec.js';
import { cutInto } from './arbitraries.js';
import { LAWS, LawViolation, reportViolation } from './codec-laws.js';
import { count, type DecoderRun, showFailure } from './codec-story.js';
import { checkRest, createDecoder, overwriteRest, restOf } from './decoder-calls.js';

/** The result of decoding an input. */
export interface DecodeResult<T> extends DecoderRun {
  readonly frames: readonly T[];
  /** What was thrown. It is boxed, because `undefined` can be thrown too. */
  readonly failure: { readonly error: unknown } | undefined;
  /** The bytes of the input that are in no frame: `rest()`, and the chunks that were not pushed. */
  readonly rest: Buffer;
}

/** How to decode an input. */
export interface DecodeWay {
  /** The sizes of the chunks: see {@link cutInto}. */
  readonly sizes: readonly number[];
  /** How many frames to take. By default all frames, and the end of the input. */
  readonly take?: number | undefined;
  /** Whether to call `rest()` after every frame and every chunk. */
  readonly callRest?: boolean | undefined;
  /**
   * Whether to leave the chunks unchanged. By default each is overwritten as soon as the decoder must not use it any
   * more.
   */
  readonly keepChunks?: boolean | undefined;
  /** How many bytes may be left in the decoder between two chunks. */
  readonly limit?: number | undefined;
}

/** Decodes an input with a new decoder. Throws a LawViolation if the decoder breaks a law on the way. */
export function decodeInput<T>(codec: Codec<T>, input: Uint8Array, way: DecodeWay): DecodeResult<T> {
  const { take = Number.POSITIVE_INFINITY, callRest = false, keepChunks = false, limit } = way;
  const chunks = cutInto(input, way.sizes);
  const run: DecoderRun = { input, lengths: chunks.map(({ length }) => length), besides: describeWay(way) };
  const decoder = createDecoder(codec, run);
  const frames: T[] = [];
  let pushed = 0;
  let failure: { error: unknown } | undefined;

  // Returns `true` when the decoder needs more bytes, and `false` when enough frames were taken.
  const takeFrames = (): boolean => {
    while (frames.length < take) {
      const frame = decoder.next();
      if (frame === undefined) return true;
      frames.push(frame);
      const most = mostFrames(input);
      if (frames.length > most)
        reportViolation(LAWS.progress, run, `at most ${count(most, 'frame')}`, 'one frame more');
      if (types.isUint8Array(frame) && frame.buffer === chunks[0]?.buffer)
        reportViolation(LAWS.ownMemory, run, 'a copy', `frame ${frames.length - 1} is a view of a chunk`);
      if (callRest) checkRest(decoder, chunks[pushed - 1], run);
    }
    return false;
  };
  // Returns `false` too when the decoder throws.
  const step = (call: () => void): boolean => {
    try {
      call();
      return takeFrames();
    } catch (error) {
      if (error instanceof LawViolation) throw error;
      failure = { error };
      return false;
    }
  };

  let needsMore = true;
  for (const chunk of chunks) {
    pushed++;
    needsMore = step(() => decoder.push(chunk));
    if (!keepChunks && (needsMore || failure)) chunk.fill(0xa5);
    if (!needsMore) break;
    // rest() is called only then: one law compares a run that calls it with a run that does not.
    const rest = callRest || limit !== undefined ? restOf(decoder, run) : undefined;
    const kept = rest?.length ?? 0;
    if (callRest && rest) overwriteRest(rest, decoder, run);
    if (limit !== undefined && kept > limit) {
      const received = `${count(kept, 'byte')} after ${count(pushed, 'chunk')}`;
      reportViolation(LAWS.boundedMemory, run, `at most ${count(limit, 'byte')}, the limit`, received);
    }
  }
  const ended = needsMore && step(() => decoder.end());
  if (ended || failure) checkEnd(decoder, failure, run);
  return { ...run, frames, failure, rest: Buffer.concat([restOf(decoder, run), ...chunks.slice(pushed)]) };
}

/**
 * How many frames a decoder may return. A frame may be less than a byte, but a decoder that never uses up its input
 * would return frames for ever.
 */
const mostFrames = ({ length }: Uint8Array) => 1000 + 64 * length;

function describeWay({ take, callRest }: DecodeWay): string[] {
  const parts: string[] = [];
  if (take !== undefined) parts.push(`stopping after ${count(take, 'frame')}`);
  if (callRest) parts.push('calling rest() after every frame and chunk');
  return parts;
}

/** After the end there are no more frames. After an error, every call throws the same error. */
function checkEnd(decoder: Decoder<unknown>, failure: DecodeResult<unknown>['failure'], run: DecoderRun): void {
  let again: { error: unknown } | undefined;
  let frame: unknown;
  try {
    frame = decoder.next();
  } catch (error) {
    again = { error };
  }
  if (frame !== undefined)
    reportViolation(LAWS.oneEnd, run, 'no frame', `one more frame after ${failure ? 'an error' : 'the end'}`);
  if (again?.error === failure?.error) return;
  const received = again && failure ? `a different object, ${showFailure(again)}` : showFailure(again);
  reportViolation(LAWS.stableError, run, `${showFailure(failure)}, again`, received);
}
