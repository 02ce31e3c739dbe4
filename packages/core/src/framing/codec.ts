// The contract of codecs: what a decoder and an encoder must do, and what the code that runs them may rely on.

import type { Chunk } from '../base/bytes.js';

/**
 * Splits a stream of bytes into frames, wherever the chunks are cut.
 *
 * A decoder reads one input, from its first byte to its end. You push chunks in and take frames out, one at a time: you
 * can stop in the middle of a chunk, and the bytes that you have not used are in `rest()`. `decode()`, `framed()` and
 * `reader()` run a decoder for you.
 *
 * **Running a decoder**:
 *
 * 1. For every chunk, call `push(chunk)`. Then call `next()` until it returns `undefined`.
 * 2. At the end of the input, call `end()`. Then call `next()` until it returns `undefined`.
 *
 * ```ts
 * import { linesCodec } from '@rxsock/core';
 *
 * function* linesOf(chunks: Iterable<Uint8Array>): Generator<string> {
 *   const decoder = linesCodec().decoder();
 *   let line: string | undefined;
 *   for (const chunk of chunks) {
 *     decoder.push(chunk);
 *     while ((line = decoder.next()) !== undefined) yield line;
 *   }
 *   decoder.end();
 *   while ((line = decoder.next()) !== undefined) yield line;
 * }
 * ```
 *
 * **Writing a decoder**: {@link Codec} has an example. Every decoder must keep these rules, and `verifyCodec()` of
 * `@rxsock/core/fast-check` tests them:
 *
 * - Frames and errors depend on the bytes alone, not on how the bytes are cut into chunks. This includes the message
 *   and the fields of an error.
 * - The frames before a bad frame are returned first. The call after the last of them throws the error.
 * - The bytes of the frames taken so far, followed by `rest()`, are exactly the bytes that were pushed. A frame that
 *   the decoder skips counts as taken.
 * - A frame has memory of its own. It shares none with a chunk.
 */
export interface Decoder<T> {
  /**
   * Adds the next bytes of the input. An empty chunk changes nothing. You may push several chunks before you call
   * `next()`.
   *
   * The decoder may refer to the memory of the chunk until `next()` returns `undefined` or throws. After that you may
   * write over it.
   *
   * @throws The error that `next()` has thrown, if it has thrown one.
   * @throws Error if `end()` was called.
   * @throws {@link TypeError} if `chunk` is not a `Uint8Array`.
   */
  push(chunk: Uint8Array): void;

  /**
   * Returns the next frame, or `undefined` if it needs more bytes. After `end()`, `undefined` means that no frame is
   * left.
   *
   * @throws {@link FrameError} or a subclass for a bad frame, and for an input that ends inside a frame. Every later
   * call throws the same error.
   */
  next(): T | undefined;

  /**
   * Marks the end of the input. `next()` then returns the frames that are left, perhaps with a last one that has no
   * delimiter.
   *
   * The decoders of this library never throw here. Yours may, once all frames before the error are taken.
   */
  end(): void;

  /**
   * Returns a copy of the bytes that were pushed and are in no frame taken so far. After an error it begins with the
   * bad frame. A call changes nothing.
   */
  rest(): Uint8Array;
}

/**
 * A frame format: makes decoders, and encodes values to frames.
 *
 * A codec has no state. Every call of `decoder()` returns a decoder for a new input, so one codec can serve many
 * connections.
 *
 * To support a format of your own, implement both halves. This codec is for numbers of four bytes, the most significant
 * byte first:
 *
 * ```text
 *   INPUT                               FRAMES
 *   +-------------+-------------+       +-----+   +-----+
 *   | 00 00 00 01 | 00 00 01 00 |  -->  |   1 |   | 256 |
 *   +-------------+-------------+       +-----+   +-----+
 * ```
 *
 * @example
 * ```ts
 * import { type Codec, connect, type Decoder, data, decode, FrameError, TruncatedFrameError } from '@rxsock/core';
 *
 * class Uint32Decoder implements Decoder<number> {
 *   #bytes = Buffer.alloc(0);
 *   #ended = false;
 *   #error: Error | undefined;
 *
 *   push(chunk: Uint8Array): void {
 *     if (this.#ended) throw this.#error ?? new Error('The input has ended');
 *     this.#bytes = Buffer.concat([this.#bytes, chunk]); // a copy: the chunk may be written over later
 *   }
 *
 *   next(): number | undefined {
 *     const buffered = this.#bytes.length;
 *     if (buffered >= 4) {
 *       const value = this.#bytes.readUInt32BE();
 *       this.#bytes = this.#bytes.subarray(4);
 *       return value;
 *     }
 *     if (!this.#ended || buffered === 0) return undefined;
 *     this.#error ??= new TruncatedFrameError('The input ended inside a number', { buffered });
 *     throw this.#error; // the same one at every call
 *   }
 *
 *   end(): void {
 *     this.#ended = true;
 *   }
 *
 *   rest(): Uint8Array {
 *     return Uint8Array.from(this.#bytes);
 *   }
 * }
 *
 * const uint32Codec: Codec<number> = {
 *   decoder: () => new Uint32Decoder(),
 *   encode: (value) => {
 *     if (value !== (value >>> 0)) throw new FrameError(`${value} does not fit into four bytes`, { phase: 'write' });
 *     const frame = Buffer.alloc(4);
 *     frame.writeUInt32BE(value);
 *     return frame;
 *   },
 * };
 *
 * connect({ port: 9000 }).pipe(data(), decode(uint32Codec)).subscribe(console.log);
 * ```
 */
export interface Codec<T> {
  /** Returns a new decoder for one input. It must receive the input from the first byte. */
  decoder(): Decoder<T>;

  /**
   * Returns the bytes of one frame, with its delimiter or header.
   *
   * @throws {@link FrameError} (`ERR_FRAME_MALFORMED`, `phase` `'write'`) if the decoder would not return the same
   * value: for example because the value contains the delimiter or does not fit the length field.
   * @throws {@link FrameTooLongError} (`ERR_FRAME_TOO_LONG`, `phase` `'write'`) for a value over the limit.
   */
  encode(value: T): Chunk;
}

/** A codec that decodes frames of one type and encodes values of another, wider one: {@link BytesCodec} is one. */
export type FrameCodec<T, U> = Pick<Codec<T>, 'decoder'> & { encode(value: U): Chunk };

/**
 * A codec whose frames are bytes. It decodes to Buffers, and encodes Buffers, other `Uint8Array`s and strings (as
 * UTF-8).
 */
export interface BytesCodec extends Codec<Buffer> {
  /**
   * Returns the bytes of one frame, with its delimiter or header.
   *
   * @throws {@link TypeError} if `value` is neither a string nor a `Uint8Array`, and the errors of
   * {@link Codec.encode}.
   */
  encode(value: Chunk): Buffer;
}
