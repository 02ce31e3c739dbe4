// What was received and not yet delivered, with its place in the stream, so that bytes given back go to those only who
// have not seen them.

export class ReceiveQueue {
  readonly #chunks: Buffer[] = [];
  /** Bytes that wait. */
  bytes = 0;
  /** Where in the stream the next chunk begins. */
  offset = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.bytes += chunk.length;
  }

  /** Puts bytes back in front: they are the next to be delivered. */
  unread(bytes: Uint8Array): void {
    this.#chunks.unshift(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.bytes += bytes.length;
    this.offset -= bytes.length;
  }

  /** How long the next chunk is, in bytes; 0 if there is none. */
  get next(): number {
    return this.#chunks[0]?.length ?? 0;
  }

  /** Takes the next chunk out. */
  shift(): Buffer {
    const chunk = this.#chunks.shift();
    if (!chunk) throw new Error('the inbox is empty');
    this.bytes -= chunk.length;
    this.offset += chunk.length;
    return chunk;
  }

  clear(): void {
    this.offset += this.bytes;
    this.bytes = 0;
    this.#chunks.length = 0;
  }
}
