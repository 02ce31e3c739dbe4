// Inputs of any length for the law of linear time: frames again and again, and a frame that does not end.
import type { Codec } from '../framing/codec.js';
import { showBytes } from './codec-story.js';

/** A beginning, and bytes that follow it again and again. */
export interface GrowingInput {
  readonly beginning: Uint8Array;
  readonly repeated: Uint8Array;
  /** How to cut it. Each cut takes time, so only those that can show a fault. */
  readonly cuts: readonly Cut[];
}

/** How to cut an input: into chunks of a fixed length. */
export interface Cut {
  /** For messages. */
  readonly name: string;
  readonly chunkLength: number;
  /** The longest input to measure, in bytes. */
  readonly maxLength: number;
}

const BYTE_BY_BYTE: Cut = { name: 'one byte at a time', chunkLength: 1, maxLength: 256 * 1024 };
const WHOLE: Cut = { name: 'in one chunk', chunkLength: Number.POSITIVE_INFINITY, maxLength: 2 * 1024 * 1024 };

/** Returns the first `length` bytes of the input. */
export function inputOf({ beginning, repeated }: GrowingInput, length: number): Buffer {
  const bytes = Buffer.alloc(length, repeated);
  bytes.set(beginning.subarray(0, length), 0);
  return bytes;
}

export function showGrowingInput({ beginning, repeated }: GrowingInput): string {
  const again = `${showBytes(repeated)}, again and again`;
  return beginning.length > 0 ? `${showBytes(beginning)}, then ${again}` : again;
}

/**
 * Finds the inputs on which a decoder is most likely to be slow.
 * @param encoded Frames.
 * @param hostile Bytes that may lead the decoder into an unusual state.
 */
export function growingInputs(
  codec: Codec<unknown>,
  encoded: readonly Uint8Array[],
  hostile: readonly Uint8Array[],
): GrowingInput[] {
  const beginning = new Uint8Array();
  const frames = encoded.filter(({ length }) => length > 0).sort((a, b) => a.length - b.length);
  const found: GrowingInput[] = [];
  if (frames.length > 0) {
    found.push({ beginning, repeated: Buffer.concat(frames), cuts: [BYTE_BY_BYTE] });
    // The shortest frame: as many frames in a chunk as possible.
    found.push({ beginning, repeated: frames[0]!, cuts: [WHOLE] });
  }
  const endless = findEndlessFrame(codec, [...frames.slice(0, 4), ...hostile.slice(0, 4)]);
  if (endless) found.push(endless);
  return found;
}

/** A frame that is at least so long is long enough, and the search ends. */
const LONG = 32 * 1024;
/** With shorter frames, no growth can be seen. Most beginnings end or fail earlier. */
const SHORT = 1024;

/**
 * Looks for the beginning of a frame with no end: bytes after which the decoder takes more and more bytes and returns
 * nothing. Tries frames, and frames with bytes added or changed near the beginning, where formats have the length.
 */
function findEndlessFrame(codec: Codec<unknown>, starts: readonly Uint8Array[]): GrowingInput | undefined {
  let longest: GrowingInput | undefined;
  for (const beginning of beginnings(starts)) {
    for (const byte of [0x61, 0, 0xff, 0x0a]) {
      const input = { beginning, repeated: Uint8Array.of(byte), cuts: [BYTE_BY_BYTE, WHOLE] };
      if (!takesAll(codec, inputOf(input, SHORT))) continue;
      if (takesAll(codec, inputOf(input, LONG))) return upToItsEnd(codec, input);
      longest ??= input;
    }
  }
  return longest && upToItsEnd(codec, longest);
}

/** After the end of the frame the decoder does something else. To measure that too would not show how time grows. */
function upToItsEnd(codec: Codec<unknown>, input: GrowingInput): GrowingInput {
  let end = SHORT;
  while (end < WHOLE.maxLength && takesAll(codec, inputOf(input, 2 * end))) end *= 2;
  return { ...input, cuts: input.cuts.map((cut) => ({ ...cut, maxLength: Math.min(cut.maxLength, end) })) };
}

const CHANGES = [[1], [0x7f], [0xff], [0xff, 0xff, 0x3f], [...Buffer.from('99999')]];
const HEADER_LENGTH = 12;
const MAX_BEGINNING = 64;

function* beginnings(starts: readonly Uint8Array[]): Generator<Uint8Array> {
  yield new Uint8Array();
  for (const start of starts) {
    if (start.length > MAX_BEGINNING) continue;
    yield start.subarray(0, -1);
    for (let at = 0; at < Math.min(start.length, HEADER_LENGTH); at++) {
      for (const change of CHANGES) {
        yield Uint8Array.of(...start.subarray(0, at), ...change, ...start.subarray(at));
        yield Uint8Array.of(...start.subarray(0, at), ...change, ...start.subarray(at + change.length));
      }
    }
  }
}

function takesAll(codec: Codec<unknown>, bytes: Uint8Array): boolean {
  const decoder = codec.decoder();
  try {
    decoder.push(bytes);
    return decoder.next() === undefined;
  } catch {
    return false;
  }
}
