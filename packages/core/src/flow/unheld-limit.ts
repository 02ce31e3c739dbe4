// The bound of a consumer's queue when its source cannot be held: without it, a slow consumer would use up all memory.
import { BackpressureOverflowError } from '../base/errors.js';

/** How much may wait before the current chunk, in bytes of memory. */
const LIMIT = 64 * 1024 * 1024;

/** What a chunk costs beside its bytes. */
const CHUNK = 128;

/**
 * Returns the error if too much waits.
 * @param what What the chunks wait for.
 */
export function unheldOverflow(bytes: number, chunks: number, what: string): BackpressureOverflowError | undefined {
  if (bytes + chunks * CHUNK <= LIMIT) return undefined;
  const remedy = 'create it with flowFrom()';
  const message = `${bytes} bytes in ${chunks} chunks wait for ${what}, and their source cannot be held: ${remedy}`;
  return new BackpressureOverflowError(message, { limit: LIMIT });
}
