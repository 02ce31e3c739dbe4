// The checks of options and payloads that the codecs share, and the options that mean the same in several of them.
import { types } from 'node:util';
import { FrameError, FrameTooLongError } from '../base/errors.js';
import type { Chunk } from './codec.js';

/** The default of `maxLength` where a delimiter ends a frame: 64 KiB. */
export const DELIMITED_MAX_LENGTH = 64 * 1024;

/** The default of `maxLength` where a frame tells its length: 16 MiB. */
export const PREFIXED_MAX_LENGTH = 16 * 1024 * 1024;

/** What becomes of bytes after the last delimiter when the input ends. */
export type TrailingPolicy = 'emit' | 'drop' | 'error';

/** What becomes of a frame that is longer than `maxLength`. */
export type OversizePolicy = 'error' | 'discard';

/** Returns `value`, or throws a RangeError that names the option and says what it takes. */
export function checkInteger(name: string, value: unknown, least: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
  const range = least === Number.MIN_SAFE_INTEGER ? 'a safe integer' : `a safe integer, ${least} or more`;
  throw new RangeError(`${name} must be ${range}; it is ${show(value)}.`);
}

/** Returns `value`, or throws a TypeError that lists what the option takes. */
export function checkOneOf<T extends string | number>(name: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value;
  throw new TypeError(`${name} must be one of ${allowed.map(show).join(', ')}; it is ${show(value)}.`);
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** The bytes of a chunk, without a copy where they are bytes already. */
export function bytesOf(value: Chunk, what: string): Buffer {
  if (typeof value === 'string') return Buffer.from(value);
  if (!types.isUint8Array(value)) throw new TypeError(`${what} must be a Buffer, a Uint8Array or a string.`);
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** Refuses a payload that the decoder on the other side, with the same options, would refuse. */
export function checkPayloadLength(length: number, limit: number): void {
  if (length <= limit) return;
  throw new FrameTooLongError(
    `The payload has ${length} bytes and maxLength is ${limit}: send less, or raise maxLength on both sides.`,
    { limit, phase: 'write' },
  );
}

/** The error of an encoder for a payload that its format cannot carry. */
export function refused(message: string, cause?: unknown): FrameError {
  return new FrameError(message, { phase: 'write', cause });
}
