// The laws that verifyCodec() checks, and the error that tells which law a codec breaks, and how.
import type fc from 'fast-check';
import { type DecoderRun, showFailure, showRun, showValue, tell } from './codec-story.js';

/** The laws. Each begins with its name and says what it demands. */
export const LAWS = {
  decoder: '"decoder": decoder() returns an object with push(), next(), end() and rest()',
  roundTrip: '"round trip": encoded values are decoded to the same values, with nothing left',
  chunking: '"chunking": frames, error and rest() do not depend on how the input was cut',
  order: '"order": the frames before a bad frame are returned first',
  stableError: '"stable error": after an error, next() throws the same error object again',
  progress: '"progress": frames use up the input, so they come to an end',
  oneEnd: '"one end": next() returns no frame after the end or an error',
  ownMemory: '"memory": a frame does not share memory with a chunk',
  reusableMemory: '"memory": a chunk may be overwritten once next() has returned undefined or has thrown',
  boundedMemory: '"memory": the decoder keeps no more bytes of an unfinished frame than the limit',
  wholeInput: '"rest": the frames returned and rest() together are the input',
  pureRest: '"rest": rest() returns a copy, and calling it changes nothing',
  linearTime: '"linear time": twice as many bytes are about twice the work, however they are cut',
} as const;

export type Law = (typeof LAWS)[keyof typeof LAWS];

/** A codec breaks a law. The message tells the counterexample. */
export class LawViolation extends Error {
  readonly law: Law;

  constructor(law: Law, counterexample: readonly (readonly [string, string])[]) {
    super(`The codec breaks the law ${law}\n\n${tell(counterexample)}`);
    this.law = law;
  }
}

/** Throws a LawViolation about a decoder. */
export function reportViolation(law: Law, run: DecoderRun, expected: string, received: string): never {
  throw new LawViolation(law, [...showRun(run), ['gave', received], ['instead of', expected]]);
}

/** Throws a LawViolation about an encoder. */
export function reportRefusedValue(value: unknown, error: unknown): never {
  throw new LawViolation(LAWS.roundTrip, [
    ['the value', showValue(value)],
    ['gave', showFailure({ error })],
    ['instead of', 'bytes from encode()'],
  ]);
}

/** Says how to see the same counterexample again. */
export function showReplay<T>({ seed, counterexamplePath, numRuns, numShrinks }: fc.RunDetails<T>): string {
  const found = `Found in case ${numRuns}, and made smaller ${numShrinks} times.`;
  return `${found} To repeat it, pass { seed: ${seed}, path: "${counterexamplePath}" }`;
}
