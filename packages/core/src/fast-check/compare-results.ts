// Compares what a decoder returned with what it should have returned.
import { type Law, reportViolation } from './codec-laws.js';
import { count, showBytes, showFailure, showValue } from './codec-story.js';
import type { DecodeResult } from './decode-input.js';
import { sameValue } from './same-value.js';

export type Equals<T> = (a: T, b: T) => boolean;

/**
 * Checks that two ways to decode the same input have the same result.
 * @param origin How the expected result was obtained, for the message.
 */
export function expectSameResult<T>(
  law: Law,
  expected: DecodeResult<T>,
  received: DecodeResult<T>,
  equals: Equals<T>,
  origin = ', as in one chunk',
): void {
  expectFrames(law, expected.frames, received, equals, origin);
  if (!sameValue(fieldsOf(expected.failure), fieldsOf(received.failure)))
    reportViolation(law, received, showFailure(expected.failure) + origin, showFailure(received.failure));
  expectRest(law, expected.rest, received, origin);
}

export function expectFrames<T>(
  law: Law,
  expected: readonly T[],
  received: DecodeResult<T>,
  equals: Equals<T>,
  origin = '',
): void {
  const { frames } = received;
  const length = Math.max(expected.length, frames.length);
  for (let i = 0; i < length; i++) {
    if (i < expected.length && i < frames.length && equals(expected[i] as T, frames[i] as T)) continue;
    // If the frame is missing because decoding failed, the error is the explanation.
    const error = i >= frames.length && received.failure ? ` and ${showFailure(received.failure)}` : '';
    reportViolation(law, received, showFrame(expected, i) + origin, showFrame(frames, i) + error);
  }
}

export function expectRest<T>(law: Law, expected: Uint8Array, received: DecodeResult<T>, origin = ''): void {
  if (Buffer.compare(expected, received.rest) === 0) return;
  reportViolation(law, received, `rest() is ${showBytes(expected)}${origin}`, `rest() is ${showBytes(received.rest)}`);
}

/** The class, the message and the fields of an error: none of them may depend on how the input was cut. */
function fieldsOf(failure: DecodeResult<unknown>['failure']): unknown {
  const error = failure?.error;
  if (!(error instanceof Error)) return failure;
  return { ...error, type: error.constructor, name: error.name, message: error.message };
}

function showFrame(frames: readonly unknown[], index: number): string {
  return index < frames.length
    ? `frame ${index} = ${showValue(frames[index])}`
    : frames.length === 0
      ? 'no frame'
      : `only ${count(frames.length, 'frame')}`;
}
