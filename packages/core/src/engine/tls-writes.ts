// Writes to a TLS stream. Node encrypts in one call of OpenSSL whatever waits in the stream, and keeps the result in
// memory. OpenSSL fails from 2^31 bytes on. So the stream gets one piece at a time, and the rest waits here.
import type { Duplex } from 'node:stream';
import { Queue } from '../base/queue.js';

/** The size of a piece, in bytes. */
const PIECE = 16 * 1024 * 1024;

export class TlsWrites {
  /** How many bytes wait here. */
  waiting = 0;
  readonly #stream: Duplex;
  /** `undefined` until a write is too large. */
  #pieces: Queue<Uint8Array> | undefined;
  #writing = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  /** Whether these bytes may go to the stream as they are. */
  fits(chunks: readonly Uint8Array[]): boolean {
    let bytes = this.#stream.writableLength;
    for (const { length } of chunks) bytes += length;
    return this.waiting === 0 && bytes <= PIECE;
  }

  /** @param written Called after each piece that the kernel has. `undefined` if the stream reports its writes itself. */
  write(chunks: readonly Uint8Array[], written?: () => void): void {
    this.#pieces ??= new Queue();
    for (const bytes of chunks) {
      for (let start = 0; start < bytes.length; start += PIECE) {
        const piece = bytes.subarray(start, start + PIECE);
        this.#pieces.push(piece);
        this.waiting += piece.length;
      }
    }
    this.#writeNext(written);
  }

  #writeNext(written: (() => void) | undefined): void {
    const piece = this.#writing ? undefined : this.#pieces?.shift();
    if (!piece) return;
    this.#writing = true;
    this.waiting -= piece.length;
    this.#stream.write(piece, (error) => {
      if (error) return;
      this.#writing = false;
      this.#writeNext(written);
      written?.();
    });
  }
}
