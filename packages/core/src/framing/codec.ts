// What a codec is: the contract between the framing state machines and everything that drives them.

/** Bytes, or a string that is written as UTF-8. */
export type Chunk = Uint8Array | string;

/**
 * Turns bytes, cut anywhere, into frames. One decoder reads one input; it is pulled one frame at a time, so that whoever
 * stops in the middle of a chunk loses nothing.
 *
 * A driver calls `push(chunk)` and then `next()` until it gives `undefined`, for every chunk; at the end of the input it
 * calls `end()` and then `next()` until it gives `undefined`:
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
 * What every decoder keeps to, and `verifyCodec` of `@rxsock/core/testing` checks: the frames, and the error with its
 * message and fields, depend on the bytes alone and not on how they were cut; a frame before a bad one is given first;
 * the frames taken so far and {@link Decoder.rest | rest()} are together the input, byte for byte. A frame owns its
 * memory: it shares none with a chunk.
 */
export interface Decoder<T> {
  /**
   * Takes in the next bytes. An empty chunk changes nothing; several chunks may be pushed before `next()` is called.
   *
   * The decoder may refer to the memory of `chunk` until `next()` has given `undefined` or has thrown; from then on the
   * memory may be used again.
   *
   * @throws The error that `next()` has thrown, once it has: nothing more is taken in.
   * @throws Error when `end()` has been called.
   */
  push(chunk: Uint8Array): void;

  /**
   * Gives the next frame, or `undefined` when more bytes are needed; after `end()`, `undefined` when there are no more.
   *
   * @throws FrameError at the place of a bad frame, when all the frames before it have been given, and the same error at
   * every later call. An input that ends inside a frame is told here too, by the call after the last whole frame.
   */
  next(): T | undefined;

  /**
   * Says that the input has ended. `next()` then gives what frames are left, perhaps an unterminated last one.
   * The decoders of this library never throw here; one of your own may, when the frames before have been taken.
   */
  end(): void;

  /**
   * A copy of the bytes that were taken in and belong to no frame given so far, in their order. After an error it begins
   * with the bad frame. Calling it changes nothing.
   */
  rest(): Uint8Array;
}

/**
 * A way to put frames into a stream of bytes and to find them again. A codec keeps no state itself: every call of
 * `decoder()` begins a new input.
 */
export interface Codec<T> {
  /** A decoder for one input, from its first byte. */
  decoder(): Decoder<T>;

  /**
   * The bytes of one frame, delimiter or header included.
   *
   * @throws FrameError with `phase` `write` when the decoder would not give the value back: it holds the delimiter, it
   * does not fit the length field, it is over the limit (`ERR_FRAME_TOO_LONG`).
   */
  encode(value: T): Chunk;
}

/** A codec whose frames are bytes: it gives Buffers, and also encodes a `Uint8Array` or a string (as UTF-8). */
export interface BytesCodec extends Codec<Buffer> {
  encode(value: Chunk): Buffer;
}
