// Drives a decoder as its documentation says, and reports the result.
import type { Codec, Decoder } from '../../src/framing/codec.js';

export interface Decoded<T> {
  frames: T[];
  error: unknown;
  rest: string;
}

/** Takes frames until none is left. */
export function pullAll<T>(decoder: Decoder<T>): T[] {
  const frames: T[] = [];
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(frame);
  return frames;
}

/** Pushes the chunks one by one (strings as Latin-1, so that each character is a byte), then ends the input. */
export function decodeAll<T>(codec: Pick<Codec<T>, 'decoder'>, ...chunks: (string | Uint8Array)[]): Decoded<T> {
  const decoder = codec.decoder();
  const frames: T[] = [];
  let error: unknown;
  const pull = () => {
    for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(frame);
  };
  try {
    for (const chunk of chunks) {
      decoder.push(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk);
      pull();
    }
    decoder.end();
    pull();
  } catch (thrown) {
    error = thrown;
  }
  return { frames, error, rest: Buffer.from(decoder.rest()).toString('latin1') };
}

/** The same for frames of bytes, shown as Latin-1. */
export function decodeBytes(
  codec: Pick<Codec<Buffer>, 'decoder'>,
  ...chunks: (string | Uint8Array)[]
): Decoded<string> {
  const { frames, error, rest } = decodeAll(codec, ...chunks);
  return { frames: frames.map((frame) => frame.toString('latin1')), error, rest };
}

/** Every way to cut `text` in two, and all single bytes. */
export function cuts(text: string): string[][] {
  const ways = [...text].map((_, i) => [text.slice(0, i), text.slice(i)]);
  return [...ways, [...text]];
}
