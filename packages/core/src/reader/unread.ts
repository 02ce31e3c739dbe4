// The bytes that have come and that no read has taken yet, in chunks as they came. What lies whole in the first chunk is
// taken right from there.
import { copyOf } from '../framing/byte-queue.js';

const LF = 10;
const CR = 13;

export class Unread {
  #chunks: Buffer[] = [];
  /** How much of the first chunk has been taken, or is out on trial as a portion. */
  #at = 0;

  /** Whether there is nothing more to take or to portion out. */
  get empty(): boolean {
    return this.#first === undefined;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#chunks.push(bufferOf(chunk));
  }

  /** A copy of the next `length` bytes, if they lie in one chunk. */
  take(length: number): Buffer | undefined {
    const first = this.#first;
    const from = this.#at;
    if (!first || first.length - from < length) return undefined;
    this.#skip(first, length);
    return copyOf(first, from, from + length);
  }

  /** A copy of what is left of the first chunk. */
  takeChunk(): Buffer | undefined {
    const first = this.#first;
    return first && this.take(first.length - this.#at);
  }

  /** A copy of the bytes up to a delimiter, without it, if all of this lies in one chunk and is not too long. */
  takeUntil(delimiter: Buffer, maxLength: number): Buffer | undefined {
    const first = this.#first;
    const from = this.#at;
    if (!first) return undefined;
    // Searching for a byte is the faster search.
    const end = delimiter.length === 1 ? first.indexOf(delimiter[0]!, from) : first.indexOf(delimiter, from);
    if (end < 0 || end - from > maxLength) return undefined;
    this.#skip(first, end + delimiter.length - from);
    return copyOf(first, from, end);
  }

  /** The next line, as `linesCodec()` has it, if all of it lies in one chunk and it is not too long. */
  takeLine(maxLength: number): string | undefined {
    const first = this.#first;
    const from = this.#at;
    if (!first) return undefined;
    const end = first.indexOf(LF, from);
    const to = end > from && first[end - 1] === CR ? end - 1 : end;
    if (end < 0 || to - from > maxLength) return undefined;
    this.#skip(first, end + 1 - from);
    return first.toString('utf8', from, to);
  }

  /** The next bytes, `length` of them at most and no copy, for somebody who may {@link putBack} what they do not use. */
  portion(length: number): Buffer | undefined {
    const first = this.#first;
    if (!first) return undefined;
    const from = this.#at;
    // Used up, the chunk stays until it is asked for again: it may be put back.
    this.#at = Math.min(first.length, from + length);
    return first.subarray(from, this.#at);
  }

  /** Puts bytes in front. Where they are those just before, which is the rule, none is copied and nothing is cut up. */
  putBack(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const [first] = this.#chunks;
    const at = this.#at - bytes.length;
    if (first && at >= 0 && first.subarray(at, this.#at).equals(bytes)) {
      this.#at = at;
      return;
    }
    this.#chunks = [bufferOf(bytes), ...this.drain()];
  }

  /** All there is, which is then gone from here. */
  drain(): Buffer[] {
    const first = this.#first?.subarray(this.#at);
    const chunks = first ? [first, ...this.#chunks.slice(1)] : [];
    this.#chunks = [];
    this.#at = 0;
    return chunks;
  }

  /** The first chunk that is not used up. */
  get #first(): Buffer | undefined {
    const [first] = this.#chunks;
    if (!first || this.#at < first.length) return first;
    this.#chunks.shift();
    this.#at = 0;
    return this.#chunks[0];
  }

  // Used up, a chunk is let go of at once: the next read may be long in coming.
  #skip(first: Buffer, length: number): void {
    this.#at += length;
    if (this.#at < first.length) return;
    this.#chunks.shift();
    this.#at = 0;
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
