// Copies the bytes of frames. Short copies share a small slab of memory, so that a frame that somebody keeps for long
// keeps little other memory.

/** Up to this many bytes, a loop takes less time than a call of Node's copy. */
const LOOP_LENGTH = 64;

/** Short copies are cut from slabs of this many bytes. A short frame keeps at most one slab in memory. */
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
    slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
    slabUsed = 0;
  }
  const piece = slab.subarray(slabUsed, slabUsed + length);
  // A multiple of eight, so that a typed array of any kind can be laid over the next piece.
  slabUsed = (slabUsed + length + 7) & ~7;
  return piece;
}
