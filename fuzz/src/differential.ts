// Decodes the same bytes in several ways: frames, error and rest must be the same.
import { type Codec, type Decoder, FrameError } from '@rxsock/core';

interface Decoded {
  /** The frames as text. */
  readonly frames: string[];
  /** The class, the message and the fields of the error. */
  readonly failure: object | undefined;
  readonly rest: string;
}

/**
 * Throws if the frames, the error or the rest depend on the chunks, if bytes are lost, if the error is not a FrameError,
 * or if a frame does not survive encode().
 *
 * @param cut Chooses the cuts, and how many frames to take.
 */
export function checkDecoder(codec: Codec<unknown>, input: Uint8Array, cut: number): void {
  const values: unknown[] = [];
  const whole = decode(codec, [input], Number.POSITIVE_INFINITY, values);
  const ways = { 'cut at random': cutAt(input, cut), 'one byte at a time': cutAt(input, 0) };
  for (const [way, chunks] of Object.entries(ways)) expectSame(way, decode(codec, chunks), whole);

  const take = cut % (whole.frames.length + 1);
  const part = decode(codec, ways['cut at random'], take);
  expectSame('stopped early', part.frames, whole.frames.slice(0, take));
  const hex = Buffer.from(input).toString('hex');
  for (const { rest } of [whole, part])
    if (!hex.endsWith(rest)) throw new Error(`rest() is not the end of the input: ${rest}`);

  for (const frame of values.slice(0, 8)) checkRoundTrip(codec, frame);
}

/** @param frames Receives the frames. */
function decode(
  codec: Codec<unknown>,
  chunks: readonly Uint8Array[],
  take = Number.POSITIVE_INFINITY,
  frames: unknown[] = [],
): Decoded {
  const decoder = codec.decoder();
  let pushed = 0;
  let failure: object | undefined;
  try {
    for (const chunk of chunks) {
      if (frames.length >= take) break;
      pushed++;
      decoder.push(chunk);
      takeFrames(decoder, frames, take);
    }
    if (frames.length < take) decoder.end();
    takeFrames(decoder, frames, take);
  } catch (error) {
    failure = describeFrameError(error);
  }
  const rest = Buffer.concat([decoder.rest(), ...chunks.slice(pushed)]).toString('hex');
  return { frames: frames.map(showFrame), failure, rest };
}

function takeFrames(decoder: Decoder<unknown>, frames: unknown[], take: number): void {
  while (frames.length < take) {
    const frame = decoder.next();
    if (frame === undefined) return;
    frames.push(frame);
  }
}

function describeFrameError(error: unknown): object {
  if (!(error instanceof FrameError)) throw error;
  const { name, message, cause, ...fields } = error;
  return { ...fields, type: error.constructor.name, name, message, cause: String(cause) };
}

/** A codec may refuse to encode a frame that it has decoded, for example a line with a CR at its end. */
function checkRoundTrip(codec: Codec<unknown>, frame: unknown): void {
  let bytes: Uint8Array;
  try {
    bytes = Buffer.from(codec.encode(frame) as string);
  } catch (error) {
    if (error instanceof FrameError) return;
    throw error;
  }
  expectSame('encoded again', decode(codec, [bytes]), { frames: [showFrame(frame)], failure: undefined, rest: '' });
}

function expectSame(way: string, received: unknown, expected: unknown): void {
  const [a, b] = [received, expected].map((value) => JSON.stringify(value));
  if (a !== b) throw new Error(`${way}: ${a} instead of ${b}`);
}

/** As text, because comparing thousands of Buffers is slow. JSON has no -0: it becomes 0, as in encode(). */
function showFrame(frame: unknown): string {
  return frame instanceof Uint8Array ? Buffer.from(frame).toString('hex') : JSON.stringify(frame);
}

/** Cuts into chunks whose lengths follow from `seed`; 0 cuts everywhere. Some chunks are empty. */
function cutAt(bytes: Uint8Array, seed: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let state = seed;
  let length = 0;
  for (let at = 0; at < bytes.length; at += length) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    // No two empty chunks in a row, so that it comes to an end.
    const least = length === 0 ? 1 : 0;
    length = seed === 0 ? 1 : Math.max(least, (state >>> 16) % (2 + seed));
    chunks.push(Uint8Array.from(bytes.subarray(at, at + length)));
  }
  return chunks;
}
