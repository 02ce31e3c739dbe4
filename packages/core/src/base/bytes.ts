// The chunks that a user may write, and their conversion to Buffers.
import { Buffer } from 'node:buffer';
import { inspect, types } from 'node:util';

/** Bytes, or a string that is written as UTF-8. */
export type Chunk = Uint8Array | string;

/** Returns the same memory as a Buffer. Nothing is copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Converts a chunk to bytes. A `Uint8Array` is not copied.
 * @param name What the message calls the chunk.
 * @throws TypeError if it is neither a string nor a `Uint8Array`.
 */
export function toBytes(chunk: Chunk, name = 'The chunk'): Buffer {
  if (typeof chunk === 'string') return Buffer.from(chunk);
  if (types.isUint8Array(chunk)) return asBuffer(chunk);
  throw new TypeError(`${name} must be a string or a Uint8Array, not ${inspect(chunk, { depth: -1 })}`);
}
