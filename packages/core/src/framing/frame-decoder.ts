// What all decoders of this library have in common: the queue of bytes, the end, and an error that stays.
import { types } from 'node:util';
import { TruncatedFrameError } from '../base/errors.js';
import { ByteQueue } from './byte-queue.js';
import type { Decoder } from './codec.js';

export abstract class FrameDecoder<T> implements Decoder<T> {
  protected readonly queue = new ByteQueue();
  protected ended = false;
  /** What went wrong, boxed: a codec may throw anything. */
  #failure: { readonly error: unknown } | undefined;

  /**
   * The next frame. It consumes nothing of a bad frame before it throws, and decides from the frame's bytes alone, at
   * the first byte that settles the matter: only so is the error the same however the bytes were cut.
   */
  protected abstract pull(): T | undefined;

  push(chunk: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (!types.isUint8Array(chunk)) throw new TypeError('A decoder takes bytes: push a Buffer or a Uint8Array.');
    if (this.ended) throw new Error('The input has ended: begin a new decoder for what comes after end().');
    this.queue.push(chunk);
  }

  next(): T | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      return this.pull();
    } catch (error) {
      this.#failure = { error };
      this.queue.own();
      throw error;
    }
  }

  end(): void {
    this.ended = true;
  }

  rest(): Uint8Array {
    return this.queue.rest();
  }

  /** For formats that know a frame's length: what is left when there are not enough bytes for it. */
  protected unfinished(noun: string): undefined {
    const buffered = this.queue.size;
    if (this.ended && buffered > 0) throw truncated(noun, buffered);
    return undefined;
  }
}

export function truncated(noun: string, buffered: number): TruncatedFrameError {
  return new TruncatedFrameError(
    `The input ended inside a ${noun}, ${buffered} bytes after its beginning: what the peer sent is not whole.`,
    { buffered },
  );
}
