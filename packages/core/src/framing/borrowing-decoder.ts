// The base class of this library's decoders. A socket may lend them its receive memory: see engine/read-memory.ts.
import { FrameDecoder } from './frame-decoder.js';

/**
 * A decoder whose frames share no memory with the chunks. Of a decoder that somebody else has written, this is not known.
 */
export abstract class BorrowingDecoder<T> extends FrameDecoder<T> {
  /** Copies what is left of the last chunk, because the memory of the chunk was only lent. */
  keepRest(): void {
    this.queue.copyChunk();
  }
}
