// Copies the bytes of chunks and frames. Short copies share a small slab of memory, so that what somebody keeps for long
// keeps little other memory.
import process from 'node:process';

/** Up to this many bytes, a loop takes less time than a call of Node's copy. */
const LOOP_LENGTH = 32;

/** Short copies are cut from slabs of this many bytes. A short copy keeps at most one slab in memory. */
const SLAB_SIZE = 8 * 1024;

let slab = Buffer.alloc(0);
let slabUsed = 0;

/**
 * Returns a copy of the bytes from `start` up to, but not including, `end`.
 *
 * It does not use Node's own pool: newer versions of Node have pools of 64 KiB, and one short frame would keep a whole
 * pool in memory.
 */
export function copyBytes(source: Buffer, start: number, end: number): Buffer {
  const length = end - start;
  const copy = length < SLAB_SIZE / 2 ? allocateInSlab(length) : Buffer.allocUnsafeSlow(length);
  copyInto(copy, 0, source, start, length);
  return copy;
}

/** Copies `length` bytes of `source` from `start` on into `target`, from `at` on. */
export function copyInto(target: Buffer, at: number, source: Buffer, start: number, length: number): void {
  if (length > LOOP_LENGTH) source.copy(target, at, start, start + length);
  else for (let i = 0; i < length; i++) target[at + i] = source[start + i]!;
}

function allocateInSlab(length: number): Buffer {
  if (slabUsed + length > slab.length) {
    slab = allocateShared(SLAB_SIZE);
    slabUsed = 0;
  }
  const piece = slab.subarray(slabUsed, slabUsed + length);
  // A multiple of eight, so that a typed array of any kind can be laid over the next piece.
  slabUsed = (slabUsed + length + 7) & ~7;
  return piece;
}

/**
 * Allocates memory that several owners have a part of. None of them may move it to another thread: the others would lose
 * their parts, and this module its slab.
 */
export function allocateShared(length: number): Buffer<ArrayBuffer> {
  const memory = Buffer.allocUnsafeSlow(length);
  // Not imported: few programs get here before they have started, and the module would cost each start a millisecond.
  process.getBuiltinModule?.('node:worker_threads')?.markAsUntransferable?.(memory.buffer);
  return memory;
}

/** Returns the bytes in memory of their own, which no other bytes share. */
export function ownCopy(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
