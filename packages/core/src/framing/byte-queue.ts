// The bytes a decoder has taken in and not yet given out: the beginning of an unfinished frame, which is kept in memory
// of its own, and then the current chunk, which is only referred to. Every byte is moved a bounded number of times.
const NONE = Buffer.alloc(0);

/** Above this many bytes the memory of a finished frame is given back at once and not used again for the next one. */
const REUSED = 16 * 1024;

/** A frame at least this long may be given out in the memory in which it was put together. */
const HANDED_OVER = 4 * 1024;

export class ByteQueue {
  /** The memory of the unfinished frame's beginning; its first `keptLength` bytes count. */
  #kept: Buffer = NONE;
  /** How many bytes of the current frame were in earlier chunks. */
  keptLength = 0;
  /** The chunk at hand: whoever pushed it owns its memory, unless `#backing` is set. Empty when it is used up. */
  chunk: Buffer = NONE;
  /** How much of `chunk` has been consumed. */
  at = 0;
  /** Memory of our own behind `chunk`, perhaps with room at its end; set when chunks had to be joined. */
  #backing: Buffer | undefined;

  get size(): number {
    return this.keptLength + this.chunk.length - this.at;
  }

  /** The memory that holds the current frame after `need()`: it begins there at `offset`. */
  get source(): Buffer {
    return this.keptLength > 0 ? this.#kept : this.chunk;
  }

  get offset(): number {
    return this.keptLength > 0 ? 0 : this.at;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.chunk.length === 0) {
      this.chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    } else {
      this.#join(bytes);
    }
  }

  /** Appends to a chunk that is not used up. The memory doubles, so that a million one-byte chunks cost linear time. */
  #join(bytes: Uint8Array): void {
    const used = this.chunk.length;
    const live = used - this.at;
    if (this.#backing === undefined || this.#backing.length - used < bytes.length) {
      const backing = Buffer.allocUnsafeSlow(2 * (live + bytes.length));
      backing.set(this.chunk.subarray(this.at), 0);
      backing.set(bytes, live);
      this.#backing = backing;
      this.at = 0;
      this.chunk = backing.subarray(0, live + bytes.length);
    } else {
      this.#backing.set(bytes, used);
      this.chunk = this.#backing.subarray(0, used + bytes.length);
    }
  }

  /** Stops referring to memory that somebody else owns. */
  own(): void {
    if (this.#backing !== undefined) return;
    this.#backing = Buffer.allocUnsafeSlow(this.chunk.length - this.at);
    this.#backing.set(this.chunk.subarray(this.at));
    this.chunk = this.#backing;
    this.at = 0;
  }

  /** Consumes `count` bytes of the chunk, and lets go of it with the last one. */
  skip(count: number): void {
    this.at += count;
    if (this.at !== this.chunk.length) return;
    this.chunk = NONE;
    this.at = 0;
    this.#backing = undefined;
  }

  /** Moves `count` bytes of the chunk to the frame's beginning, whose memory never grows past `most` bytes for long. */
  keep(count: number, most: number): void {
    const length = this.keptLength + count;
    if (this.#kept.length < length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, Math.min(2 * length, most, 2 ** 31)));
      grown.set(this.#kept.subarray(0, this.keptLength));
      this.#kept = grown;
    }
    // For a few bytes a view to copy from costs more than the copy.
    if (count < 32) for (let i = 0; i < count; i++) this.#kept[this.keptLength + i] = this.chunk[this.at + i]!;
    else this.#kept.set(this.chunk.subarray(this.at, this.at + count), this.keptLength);
    this.keptLength = length;
    this.skip(count);
  }

  /** Whether `count` bytes of the frame are there. They then lie in one piece; else all there is has been kept. */
  need(count: number): boolean {
    const there = this.chunk.length - this.at;
    if (this.keptLength === 0 ? there >= count : this.keptLength >= count) return true;
    if (there > 0) this.keep(Math.min(there, count - this.keptLength), count);
    return this.keptLength >= count;
  }

  /** Gives the bytes `from`..`to` of the frame in memory of their own, and consumes the frame, `total` bytes long. */
  take(from: number, to: number, total: number): Buffer {
    const length = to - from;
    if (this.keptLength > 0 && length >= HANDED_OVER && 2 * length >= this.#kept.length) {
      const frame = this.#kept.subarray(from, to);
      this.#kept = NONE;
      this.drop(total);
      return frame;
    }
    const frame = copyOf(this.source, this.offset + from, this.offset + to);
    this.drop(total);
    return frame;
  }

  /** Consumes a frame of `total` bytes, all of its kept ones included. */
  drop(total: number): void {
    const fromChunk = total - this.keptLength;
    this.keptLength = 0;
    if (this.#kept.length > REUSED) this.#kept = NONE;
    this.skip(fromChunk);
  }

  rest(): Buffer {
    return Buffer.concat([this.#kept.subarray(0, this.keptLength), this.chunk.subarray(this.at)]);
  }
}

/** Short copies are cut from pieces of this many bytes: the most that a short frame holds on to. */
const SLAB = 8 * 1024;

let slab = NONE;
let used = 0;

/** A copy. Not out of Node's own pool, whose pieces have 64 KiB on newer versions: one short frame would hold all of it. */
export function copyOf(bytes: Buffer, from: number, to: number): Buffer {
  const length = to - from;
  const copy = length < SLAB / 2 ? fromSlab(length) : Buffer.allocUnsafeSlow(length);
  bytes.copy(copy, 0, from, to);
  return copy;
}

function fromSlab(length: number): Buffer {
  if (used + length > slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB);
    used = 0;
  }
  const piece = slab.subarray(used, used + length);
  // Multiples of eight, so that typed arrays of any kind can be laid over a frame.
  used = (used + length + 7) & ~7;
  return piece;
}
