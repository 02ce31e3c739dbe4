// The bytes that a decoder has received and not yet returned in frames. Each byte is copied a bounded number of times,
// so decoding takes linear time whatever the size of the chunks.
import { asBuffer } from '../base/bytes.js';
import { copyBytes, copyInto, ownCopy } from '../base/copy-bytes.js';

const EMPTY = Buffer.alloc(0);

/** The queue reuses the memory of saved bytes for the next frame, unless that memory has more than this many bytes. */
const MAX_REUSED = 16 * 1024;

/** The end of a short line is found in a loop over so many bytes, which takes less time than a call of Node's search. */
const LOOP_LENGTH = 16;

/** A saved frame of at least this many bytes may be returned in the memory that it was saved in, without a copy. */
const MIN_UNCOPIED = 4 * 1024;

/** The state of a queue before a frame is taken. */
export interface QueueMark {
  readonly saved: Buffer;
  readonly savedLength: number;
  readonly chunk: Buffer;
  readonly position: number;
  readonly ownMemory: Buffer | undefined;
}

/**
 * The input buffer of a decoder: the saved beginning of the current frame, followed by the current chunk.
 *
 * The chunk belongs to the caller, and the queue only refers to it. A decoder therefore saves what is left of the chunk
 * before it asks for more bytes, with {@link gather} or {@link save}.
 *
 * ```text
 *   saved: copied from earlier chunks       chunk
 *   +--------------------------------+      +----------+------------------------+
 *   | beginning of the current frame |      | consumed | rest of the frame, ... |
 *   +--------------------------------+      +----------+------------------------+
 *   0                      savedLength                 position
 * ```
 *
 * While nothing is saved, the current frame begins at `position`.
 */
export class ByteQueue {
  /** The memory of the saved bytes. Only its first `savedLength` bytes count. */
  #saved: Buffer = EMPTY;
  /** How many bytes of the current frame were saved from earlier chunks. */
  savedLength = 0;
  /** Whether the memory of the saved bytes is just large enough for what was asked for. */
  #isTight = false;
  /** The current chunk. It is empty when all of it is consumed. */
  chunk: Buffer = EMPTY;
  /** How many bytes of `chunk` are consumed. */
  position = 0;
  /**
   * The queue's own memory that holds `chunk`, perhaps with room at its end. `undefined` if the chunk is the caller's.
   */
  #ownMemory: Buffer | undefined;

  /** How many bytes are queued: those of the current frame and all after it. */
  get size(): number {
    return this.savedLength + this.chunk.length - this.position;
  }

  /** The memory that holds the current frame, from {@link offset} on. Call {@link gather} first. */
  get buffer(): Buffer {
    return this.savedLength > 0 ? this.#saved : this.chunk;
  }

  /** Where the current frame begins in {@link buffer}. */
  get offset(): number {
    return this.savedLength > 0 ? 0 : this.position;
  }

  /** Adds bytes at the end. Does not copy them, unless the chunk before them is not consumed yet. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.chunk.length === 0) this.chunk = asBuffer(bytes);
    else this.#append(bytes);
  }

  /** Appends to an unconsumed chunk. The memory doubles, so that a million one-byte chunks take linear time. */
  #append(bytes: Uint8Array): void {
    const end = this.chunk.length;
    const unconsumed = end - this.position;
    if (this.#ownMemory === undefined || this.#ownMemory.length - end < bytes.length) {
      const memory = Buffer.allocUnsafeSlow(2 * (unconsumed + bytes.length));
      memory.set(this.chunk.subarray(this.position), 0);
      memory.set(bytes, unconsumed);
      this.#ownMemory = memory;
      this.position = 0;
      this.chunk = memory.subarray(0, unconsumed + bytes.length);
    } else {
      this.#ownMemory.set(bytes, end);
      this.chunk = this.#ownMemory.subarray(0, end + bytes.length);
    }
  }

  /** Copies what is left of the chunk, if its memory is the caller's. The caller may then reuse that memory. */
  copyChunk(): void {
    if (this.#ownMemory !== undefined || this.chunk.length === 0) return;
    this.#ownMemory = ownCopy(this.chunk.subarray(this.position));
    this.chunk = this.#ownMemory;
    this.position = 0;
  }

  /** Consumes `count` bytes of the chunk. Drops the reference to the chunk when all of it is consumed. */
  advance(count: number): void {
    this.position += count;
    if (this.position !== this.chunk.length) return;
    this.chunk = EMPTY;
    this.position = 0;
    this.#ownMemory = undefined;
  }

  /**
   * Appends `count` bytes of the chunk to the saved bytes, and consumes them. The memory for saved bytes doubles when
   * it is full.
   *
   * @param maxLength How long the frame may become, in bytes. No more memory is reserved than that, unless more bytes
   * are saved.
   */
  save(count: number, maxLength: number): void {
    const length = this.savedLength + count;
    if (this.#saved.length < length) this.#grow(length, maxLength);
    copyInto(this.#saved, this.savedLength, this.chunk, this.position, count);
    this.savedLength = length;
    this.advance(count);
  }

  // A frame whose length becomes known step by step asks for a little more each time. From the second time on, its memory
  // grows by half all the same: otherwise the frame would be copied at every step.
  #grow(length: number, maxLength: number): void {
    const least = this.#isTight ? Math.ceil(1.5 * this.#saved.length) : 0;
    const wanted = Math.max(length, least, Math.min(2 * length, maxLength, 2 ** 31));
    const grown = Buffer.allocUnsafeSlow(wanted);
    grown.set(this.#saved.subarray(0, this.savedLength));
    this.#saved = grown;
    this.#isTight = 2 * length > maxLength;
  }

  /**
   * Returns `true` if the first `count` bytes of the frame have arrived; they then lie in one piece in {@link buffer}.
   * Otherwise saves all bytes that have arrived and returns `false`. It never reserves memory for more than `count`
   * bytes, so to search a frame byte by byte would copy it again and again: use {@link indexOf}.
   */
  gather(count: number): boolean {
    const unconsumed = this.chunk.length - this.position;
    if (this.savedLength === 0 && unconsumed >= count) return true;
    if (this.savedLength < count) this.save(Math.min(unconsumed, count - this.savedLength), count);
    return this.savedLength >= count;
  }

  /**
   * Returns the place of a byte in the frame, from `start` on. The frame up to and including it then lies in one piece
   * in {@link buffer}. If the byte has not arrived, saves all bytes that have, also those behind the frame, and returns
   * -1: search the next bytes from {@link size} on.
   *
   * @param maxLength How long the frame may become, in bytes: no more memory is reserved. It does not limit the search.
   */
  indexOf(byte: number, start: number, maxLength: number): number {
    if (this.savedLength > start) {
      const inSaved = this.#saved.subarray(0, this.savedLength).indexOf(byte, start);
      if (inSaved >= 0) return inSaved;
    }
    const found = findByte(this.chunk, byte, this.position + Math.max(0, start - this.savedLength));
    if (found >= 0 && this.savedLength === 0) return found - this.position;
    this.save((found < 0 ? this.chunk.length : found + 1) - this.position, maxLength);
    return found < 0 ? -1 : this.savedLength - 1;
  }

  /**
   * Returns a copy of the bytes from `start` up to, but not including, `end` of the frame, and consumes nothing. It is
   * for frames that hold several values. The frame must have been gathered up to `end`.
   */
  copy(start: number, end: number): Buffer {
    return copyBytes(this.buffer, this.offset + start, this.offset + end);
  }

  /**
   * Returns the bytes from `start` up to, but not including, `end` of the frame, in memory of their own, and consumes
   * the frame. The frame must have been gathered.
   *
   * @param frameLength The length of the whole frame in bytes, with its header or delimiter.
   */
  takeFrame(start: number, end: number, frameLength: number): Buffer {
    const length = end - start;
    const isSaved = this.savedLength > 0 && this.savedLength <= frameLength;
    if (isSaved && length >= MIN_UNCOPIED && 2 * length >= this.#saved.length) {
      const frame = this.#saved.subarray(start, end);
      this.#saved = EMPTY;
      this.dropFrame(frameLength);
      return frame;
    }
    const frame = this.copy(start, end);
    this.dropFrame(frameLength);
    return frame;
  }

  /** Consumes a frame of `frameLength` bytes. */
  dropFrame(frameLength: number): void {
    if (frameLength < this.savedLength) this.#unsave();
    const fromChunk = frameLength - this.savedLength;
    this.savedLength = 0;
    this.#isTight = false;
    if (this.#saved.length > MAX_REUSED) this.#saved = EMPTY;
    this.advance(fromChunk);
  }

  /** Returns what `restore()` needs to give back a frame that is taken next. */
  mark(): QueueMark {
    const { savedLength, chunk, position } = this;
    return { saved: this.#saved, savedLength, chunk, position, ownMemory: this.#ownMemory };
  }

  /** Gives back the frame that was taken after `mark()`. Nothing was pushed or saved since. */
  restore(mark: QueueMark): void {
    this.#saved = mark.saved;
    this.savedLength = mark.savedLength;
    this.chunk = mark.chunk;
    this.position = mark.position;
    this.#ownMemory = mark.ownMemory;
  }

  // A search has saved bytes behind the frame. They become the chunk again.
  #unsave(): void {
    this.#ownMemory = this.rest();
    this.chunk = this.#ownMemory;
    this.position = 0;
    this.savedLength = 0;
  }

  /** Returns a copy of all queued bytes. Consumes nothing. */
  rest(): Buffer {
    return Buffer.concat([this.#saved.subarray(0, this.savedLength), this.chunk.subarray(this.position)]);
  }
}

function findByte(bytes: Buffer, byte: number, start: number): number {
  const near = Math.min(start + LOOP_LENGTH, bytes.length);
  for (let i = start; i < near; i++) if (bytes[i] === byte) return i;
  return near < bytes.length ? bytes.indexOf(byte, near) : -1;
}
