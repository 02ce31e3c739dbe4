// The errors of encoders: an encoder refuses a value that its own decoder would not return.
import { FrameError, FrameTooLongError } from '../base/errors.js';

/** Returns the error for a value that the format cannot carry. */
export function encodeError(message: string, cause?: unknown): FrameError {
  return new FrameError(message, { phase: 'write', cause });
}

/** Throws for a payload that a decoder with the same `maxLength` would refuse. */
export function checkPayloadLength(length: number, maxLength: number): void {
  if (length <= maxLength) return;
  throw new FrameTooLongError(
    `The payload has ${length} bytes, more than maxLength (${maxLength}): send less, or raise maxLength on both sides`,
    { limit: maxLength, phase: 'write' },
  );
}
