// What all decoders of this library have in common: the queue of bytes, the end of the input, and an error that every
// later call throws again.
import { inspect, types } from 'node:util';
import { TruncatedFrameError } from '../base/errors.js';
import { ByteQueue } from './byte-queue.js';
import type { Decoder } from './codec.js';

/**
 * A base class for decoders. It queues the chunks, copies them when it must, remembers the end of the input and repeats
 * an error. You write one method, {@link decodeFrame}.
 *
 * ```text
 * // Frames that begin with one byte of length: 02 68 69 is the frame "hi".
 * class ShortFrameDecoder extends FrameDecoder<Buffer> {
 *   protected override decodeFrame(): Buffer | undefined {
 *     const { queue } = this;
 *     if (!queue.gather(1)) return this.needMoreBytes('frame');
 *     const end = 1 + queue.buffer[queue.offset]!;
 *     if (!queue.gather(end)) return this.needMoreBytes('frame');
 *     return queue.takeFrame(1, end, end);
 *   }
 * }
 * ```
 */
export abstract class FrameDecoder<T> implements Decoder<T> {
  /** The bytes that are in no frame yet. */
  protected readonly queue = new ByteQueue();
  /** `true` after `end()`: no more bytes will come. */
  protected ended = false;
  /** @internal How many frames have been taken, those included that were left out. What is discarded counts at its end. */
  frameCount = 0;
  /** What turns frames into values: see `mapCodec()`. */
  #convert: ((frame: T) => T | undefined) | undefined;
  /** The error that `decodeFrame()` threw. It is boxed because a codec may throw any value, even `undefined`. */
  #failure: { readonly error: unknown } | undefined;

  /**
   * Returns the next frame and consumes its bytes. Returns `undefined` if more bytes are needed or, after the end, if
   * no frame is left.
   *
   * Return every frame. To leave some out, use `mapCodec()`: only so does `rest()` always begin with the bad frame.
   *
   * To report a bad frame, throw before you consume any of its bytes. Look only at the bytes of the frame, and throw at
   * the first byte that shows the error. Only then is the error the same however the bytes were cut into chunks.
   *
   * Before it returns `undefined` it must have saved or consumed the whole chunk, because the caller may then reuse the
   * chunk's memory. A `gather()` that returns `false` has done so.
   */
  protected abstract decodeFrame(): T | undefined;

  push(chunk: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (!types.isUint8Array(chunk)) {
      throw new TypeError(`A decoder takes a Uint8Array, not ${inspect(chunk, { depth: 0 })}`);
    }
    if (this.ended) throw new Error('push() was called after end(): begin a new decoder for the next input');
    this.queue.push(chunk);
  }

  next(): T | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      return this.#convert ? this.decodeAndConvert() : this.decodeFrame();
    } catch (error) {
      this.#failure = { error };
      this.queue.copyChunk();
      throw error;
    }
  }

  end(): void {
    this.ended = true;
  }

  rest(): Uint8Array {
    return this.queue.rest();
  }

  /**
   * From now on `next()` returns what `convert` makes of the frames. A frame of which it makes `undefined` is left out.
   * What it throws is the error of that frame.
   *
   * @internal
   */
  convertFrames<M>(convert: (frame: T) => M | undefined): Decoder<M> {
    const before = this.#convert;
    this.#convert = (frame) => {
      const value = before ? before(frame) : frame;
      return value === undefined ? undefined : (convert(value) as T | undefined);
    };
    return this as unknown as Decoder<M>;
  }

  /** Converts a frame; returns `undefined` if there is none, or if it is left out. */
  protected convert(frame: T | undefined): T | undefined {
    return frame === undefined || !this.#convert ? frame : this.#convert(frame);
  }

  /** Decodes and converts the next frame. If `convert()` throws, the bytes of the frame are not consumed. */
  protected decodeAndConvert(): T | undefined {
    for (;;) {
      const mark = this.queue.mark();
      const frame = this.decodeFrame();
      if (frame === undefined) return undefined;
      this.frameCount++;
      try {
        const value = this.convert(frame);
        if (value !== undefined) return value;
      } catch (error) {
        this.queue.restore(mark);
        throw error;
      }
    }
  }

  /**
   * Returns `undefined`. Call it when a frame is not complete, and return its result from `decodeFrame()`. It is for
   * formats in which the end of the input cannot end a frame.
   *
   * @param frameName What the error message calls a frame.
   * @throws {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`) if the input has ended inside a frame.
   */
  protected needMoreBytes(frameName: string): undefined {
    const buffered = this.queue.size;
    if (this.ended && buffered > 0) throw truncatedFrame(frameName, buffered);
    return undefined;
  }
}

/** @param buffered How many bytes of the unfinished frame have arrived. */
export function truncatedFrame(frameName: string, buffered: number): TruncatedFrameError {
  return new TruncatedFrameError(
    `The input ended inside a ${frameName}, ${buffered} bytes after its start: the peer did not send all of it`,
    { buffered },
  );
}
