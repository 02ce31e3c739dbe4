// The options that several codecs share.
import { checkSize } from '../base/check.js';

/** The default `maxLength` of formats in which a delimiter ends a frame: 64 KiB. */
export const DELIMITED_MAX_LENGTH = 64 * 1024;

/** The default `maxLength` of formats in which a frame begins with its length: 16 MiB. */
export const PREFIXED_MAX_LENGTH = 16 * 1024 * 1024;

/**
 * What a decoder does at the end of the input with bytes after the last delimiter: `'emit'` returns them as the last
 * frame, `'drop'` leaves them in `rest()`, and `'error'` throws a {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`).
 */
export type TrailingPolicy = 'emit' | 'drop' | 'error';

/**
 * What a decoder does with a payload over `maxLength`: `'error'` throws a {@link FrameTooLongError}
 * (`ERR_FRAME_TOO_LONG`), and `'discard'` skips the frame and frees its bytes as they arrive.
 */
export type OversizePolicy = 'error' | 'discard';

/** Returns `maxLength` as a safe integer, so that sums with it are exact. Infinity becomes the largest one. */
export function checkMaxLength(maxLength: number): number {
  return Math.min(checkSize('maxLength', maxLength), Number.MAX_SAFE_INTEGER);
}
