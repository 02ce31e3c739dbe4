// The bytes that were received and not yet delivered, with their position in the stream. The position shows who has
// already received bytes that come back by unread().
//
// A small chunk that arrives while others wait is copied behind the last one. Otherwise a peer that sends single bytes
// would make this side keep a chunk of two hundred bytes for each.
import { asBuffer } from '../base/bytes.js';
import { ownCopy } from '../base/copy-bytes.js';
import { SMALL_CHUNK, SmallChunks } from '../base/small-chunks.js';

export class ReceiveQueue {
  /** `undefined` while nothing waits: an empty list would keep the places that it has had. */
  #chunks: Buffer[] | undefined;
  /** `undefined` until a small chunk must wait behind another one. */
  #small: SmallChunks | undefined;
  /** How many bytes wait. */
  bytes = 0;
  /** The position of the first waiting byte in the stream. */
  offset = 0;

  /** The chunks that wait. */
  get chunks(): readonly Buffer[] {
    return this.#chunks ?? [];
  }

  push(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (!this.#chunks) {
      this.#chunks = [chunk];
    } else if (chunk.length > SMALL_CHUNK) {
      this.#chunks.push(chunk);
    } else {
      this.#small ??= new SmallChunks();
      this.#small.appendTo(this.#chunks, chunk);
    }
  }

  /** Puts bytes back in front: they are delivered next. */
  unread(bytes: Uint8Array): void {
    this.#chunks = [asBuffer(bytes), ...(this.#chunks ?? [])];
    this.bytes += bytes.length;
    this.offset -= bytes.length;
  }

  /** The length of the first chunk in bytes; 0 if the queue is empty. */
  get nextLength(): number {
    return this.#chunks?.[0]?.length ?? 0;
  }

  /** Removes and returns the first chunk. */
  shift(): Buffer {
    const chunk = this.#chunks?.shift();
    if (!chunk) throw new Error('The receive queue is empty');
    this.bytes -= chunk.length;
    this.offset += chunk.length;
    if (this.#chunks?.length === 0) this.#free();
    return chunk;
  }

  /** Copies what waits of the memory of a chunk, because others use this memory too. */
  copy({ buffer }: Buffer): void {
    this.#chunks = this.#chunks?.map((chunk) => (chunk.buffer === buffer ? ownCopy(chunk) : chunk));
  }

  /** A chunk that has just come waits. It would keep the memory of others that it shares: it gets memory of its own. */
  keep(chunk: Buffer): void {
    const last = (this.#chunks?.length ?? 0) - 1;
    if (this.#chunks?.[last] === chunk && 2 * chunk.length < chunk.buffer.byteLength)
      this.#chunks[last] = ownCopy(chunk);
  }

  clear(): void {
    this.offset += this.bytes;
    this.bytes = 0;
    this.#free();
  }

  #free(): void {
    this.#chunks = undefined;
    this.#small = undefined;
  }
}
