// The bytes that were received and not yet delivered, with their position in the stream. The position shows who has
// already received bytes that come back by unread().
//
// A small chunk that arrives while others wait is copied behind the last one, into a block. Otherwise a peer that sends
// single bytes would make this side keep a chunk of two hundred bytes for each.
import { asBuffer } from '../base/bytes.js';

/** Up to this many bytes a copy costs less than a chunk of its own. */
const SMALL = 512;

/** The size of a block for small chunks, in bytes. */
const BLOCK = 4096;

export class ReceiveQueue {
  readonly #chunks: Buffer[] = [];
  /** The block for the next small chunk, and how many bytes of it are in use. */
  #block: Buffer | undefined;
  #used = 0;
  /** Whether the last chunk is in the block, so that it can grow. */
  #lastGrows = false;
  /** How many bytes wait. */
  bytes = 0;
  /** The position of the first waiting byte in the stream. */
  offset = 0;

  push(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (chunk.length <= SMALL && this.#chunks.length > 0) this.#append(chunk);
    else this.#pushWhole(chunk);
  }

  /** Puts bytes back in front: they are delivered next. */
  unread(bytes: Uint8Array): void {
    this.#chunks.unshift(asBuffer(bytes));
    this.bytes += bytes.length;
    this.offset -= bytes.length;
  }

  /** The length of the first chunk in bytes; 0 if the queue is empty. */
  get nextLength(): number {
    return this.#chunks[0]?.length ?? 0;
  }

  /** Removes and returns the first chunk. */
  shift(): Buffer {
    const chunk = this.#chunks.shift();
    if (!chunk) throw new Error('The receive queue is empty');
    this.bytes -= chunk.length;
    this.offset += chunk.length;
    if (this.#chunks.length === 0) this.#forgetBlock();
    return chunk;
  }

  clear(): void {
    this.offset += this.bytes;
    this.bytes = 0;
    this.#chunks.length = 0;
    this.#forgetBlock();
  }

  #pushWhole(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#lastGrows = false;
  }

  #append(chunk: Buffer): void {
    if (!this.#block || this.#used + chunk.length > BLOCK) {
      // Not allocUnsafe(): a block of the shared pool keeps the whole pool alive.
      this.#block = Buffer.allocUnsafeSlow(BLOCK);
      this.#used = 0;
      this.#lastGrows = false;
    }
    const last = this.#lastGrows ? (this.#chunks.pop() as Buffer).length : 0;
    const start = this.#used - last;
    chunk.copy(this.#block, this.#used);
    this.#used += chunk.length;
    this.#chunks.push(this.#block.subarray(start, this.#used));
    this.#lastGrows = true;
  }

  #forgetBlock(): void {
    this.#block = undefined;
    this.#lastGrows = false;
  }
}
