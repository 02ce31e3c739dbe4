// The bytes that arrived and that no read has used yet, in chunks as they arrived. A read that needs only the first
// chunk takes its bytes directly from there.
import { asBuffer } from '../base/bytes.js';
import { copyBytes } from '../base/copy-bytes.js';

const LF = 10;
const CR = 13;

export class ReadBuffer {
  #chunks: Buffer[] = [];
  /** How many bytes of the first chunk were taken, or were returned by `portion()`. */
  #at = 0;

  /** Whether there are no more bytes. */
  get empty(): boolean {
    return this.#first === undefined;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#chunks.push(asBuffer(chunk));
  }

  /** Takes a copy of the next `length` bytes, if they lie in one chunk. */
  take(length: number): Buffer | undefined {
    const first = this.#first;
    const from = this.#at;
    if (!first || first.length - from < length) return undefined;
    this.#skip(first, length);
    return copyBytes(first, from, from + length);
  }

  /** Takes a copy of the rest of the first chunk. */
  takeChunk(): Buffer | undefined {
    const first = this.#first;
    return first && this.take(first.length - this.#at);
  }

  /**
   * Takes a copy of the bytes before a delimiter, and the delimiter, if all of them lie in one chunk within
   * `maxLength`.
   */
  takeUntil(delimiter: Buffer, maxLength: number): Buffer | undefined {
    const first = this.#first;
    const from = this.#at;
    if (!first) return undefined;
    // A search for one byte is faster.
    const end = delimiter.length === 1 ? first.indexOf(delimiter[0]!, from) : first.indexOf(delimiter, from);
    if (end < 0 || end - from > maxLength) return undefined;
    this.#skip(first, end + delimiter.length - from);
    return copyBytes(first, from, end);
  }

  /** Takes the next line, as `linesCodec()` would decode it, if it lies in one chunk within `maxLength`. */
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

  /** Returns at most `length` of the next bytes, not copied. The caller gives unused bytes back with {@link unread}. */
  portion(length: number): Buffer | undefined {
    const first = this.#first;
    if (!first) return undefined;
    const from = this.#at;
    // A chunk that is used up stays until the next call, because its bytes may come back.
    this.#at = Math.min(first.length, from + length);
    return first.subarray(from, this.#at);
  }

  /** Puts bytes back in front. Nothing is copied if they are the last bytes that `portion()` returned, as is usual. */
  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const [first] = this.#chunks;
    const at = this.#at - bytes.length;
    if (first && at >= 0 && first.subarray(at, this.#at).equals(bytes)) {
      this.#at = at;
      return;
    }
    this.#chunks = [asBuffer(bytes), ...this.drain()];
  }

  /** Removes and returns all bytes. */
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

  // A chunk that is used up is released at once, because the next read may come much later.
  #skip(first: Buffer, length: number): void {
    this.#at += length;
    if (this.#at < first.length) return;
    this.#chunks.shift();
    this.#at = 0;
  }
}
