// Small chunks that wait are copied together, because every chunk costs more than a hundred bytes beside its own.

import { allocateShared } from './copy-bytes.js';

/** Up to this many bytes a copy costs less than a chunk of its own. */
export const SMALL_CHUNK = 512;

/** The size of a block, in bytes. */
const BLOCK = 4096;

/** Copies small chunks one behind the other into blocks. */
export class SmallChunks {
  #block: Buffer | undefined;
  /** How many bytes of the block are in use. */
  #used = 0;
  /** The result of the last `append()`. The next chunk can be copied behind it. */
  #last: Buffer | undefined;

  /** Whether `append(chunk)` would extend `last`. Otherwise it would return a chunk of its own. */
  extends(last: Uint8Array | undefined, chunk: Uint8Array): boolean {
    return last !== undefined && last === this.#last && this.#used + chunk.length <= BLOCK;
  }

  /** Copies a chunk. Returns the copy, together with `last` if it extends it. */
  append(last: Uint8Array | undefined, chunk: Uint8Array): Buffer {
    let start = this.#used;
    if (this.extends(last, chunk)) start -= last?.length ?? 0;
    else if (!this.#block || start + chunk.length > BLOCK) start = this.#startBlock();
    const block = this.#block as Buffer;
    block.set(chunk, this.#used);
    this.#used += chunk.length;
    this.#last = block.subarray(start, this.#used);
    return this.#last;
  }

  /** Adds a copy of a chunk at the end of a list: to the last chunk if that can be extended. */
  appendTo(chunks: Uint8Array[], chunk: Uint8Array): void {
    const last = chunks.at(-1);
    if (this.extends(last, chunk)) chunks.pop();
    chunks.push(this.append(last, chunk));
  }

  /** Frees the block. */
  clear(): void {
    this.#block = undefined;
    this.#last = undefined;
  }

  #startBlock(): number {
    // Not a part of Node's pool, which it would keep alive. Chunks of it are given away while others wait in it.
    this.#block = allocateShared(BLOCK);
    this.#used = 0;
    return 0;
  }
}
