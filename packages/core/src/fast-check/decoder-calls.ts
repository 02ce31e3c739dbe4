// Calls decoder() and rest() of a codec for verifyCodec(), and checks what they return.
import { types } from 'node:util';
import type { Codec, Decoder } from '../framing/codec.js';
import { LAWS, reportViolation } from './codec-laws.js';
import { type DecoderRun, showBytes, showFailure, showValue } from './codec-story.js';

const METHODS = ['push', 'next', 'end', 'rest'] as const;

export function createDecoder<T>(codec: Codec<T>, run: DecoderRun): Decoder<T> {
  let decoder: Partial<Decoder<T>> | null | undefined;
  try {
    decoder = codec.decoder();
  } catch (error) {
    reportViolation(LAWS.decoder, run, 'a decoder', showFailure({ error }));
  }
  for (const method of METHODS) {
    if (typeof decoder?.[method] === 'function') continue;
    const received = decoder ? `${method} is ${showValue(decoder[method])}` : `decoder() returns ${showValue(decoder)}`;
    reportViolation(LAWS.decoder, run, `a decoder with ${method}()`, received);
  }
  return decoder as Decoder<T>;
}

export function restOf(decoder: Decoder<unknown>, run: DecoderRun): Uint8Array {
  let rest: unknown;
  try {
    rest = decoder.rest();
  } catch (error) {
    reportViolation(LAWS.pureRest, run, 'rest() returns a Uint8Array', showFailure({ error }));
  }
  if (types.isUint8Array(rest)) return rest;
  return reportViolation(LAWS.pureRest, run, 'rest() returns a Uint8Array', `rest() returns ${showValue(rest)}`);
}

/**
 * After a frame, `rest()` must end with the bytes of the current chunk that are still unused. What it returns is
 * overwritten: it must be a copy.
 */
export function checkRest(decoder: Decoder<unknown>, chunk: Uint8Array | undefined, run: DecoderRun): void {
  const rest = restOf(decoder, run);
  if (chunk === undefined || rest.length === 0) return;
  if (rest.buffer === chunk.buffer) reportViolation(LAWS.pureRest, run, 'a copy', 'rest() is a view of a chunk');
  const length = Math.min(rest.length, chunk.length);
  const end = chunk.subarray(chunk.length - length);
  if (Buffer.compare(rest.subarray(rest.length - length), end) !== 0) {
    reportViolation(LAWS.wholeInput, run, `rest() ends with ${showBytes(end)}`, `rest() is ${showBytes(rest)}`);
  }
  overwriteRest(rest, decoder, run);
}

/** Overwrites what `rest()` has returned, and checks that `rest()` still returns the same. */
export function overwriteRest(rest: Uint8Array, decoder: Decoder<unknown>, run: DecoderRun): void {
  const before = Buffer.from(rest);
  rest.fill(0x5a);
  const again = restOf(decoder, run);
  if (Buffer.compare(before, again) === 0) return;
  const received = `${showBytes(again)}, after the bytes that it had returned were overwritten`;
  reportViolation(LAWS.pureRest, run, `rest() is ${showBytes(before)}`, received);
}
