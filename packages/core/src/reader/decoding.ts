// Decodes frames of one codec and then of another from the same bytes. A change of codec costs what the frames cost
// that were read, and not what all the bytes cost that have arrived behind them.
import type { Codec, Decoder } from '../framing/codec.js';
import type { ReadBuffer } from './read-buffer.js';

/** The decoding half of a codec. */
export type Decodes<T> = Pick<Codec<T>, 'decoder'>;

/**
 * A short cut for the common case: takes a frame directly from the bytes, or returns `undefined` and leaves it to the
 * codec.
 */
export type ShortCut<T> = (buffer: ReadBuffer) => T | undefined;

/**
 * How many bytes a decoder receives first. Each portion is twice as long as the one before it, so that the copy of
 * unused bytes that a decoder returns is never much longer than the bytes that it has used.
 */
const FIRST_PORTION = 512;

export class Decoding {
  readonly #buffer: ReadBuffer;
  #codec: Decodes<unknown> | undefined;
  /** The decoder of `#codec`. It has received bytes that are no longer in `#buffer`. */
  #decoder: Decoder<unknown> | undefined;
  #portion = FIRST_PORTION;

  constructor(buffer: ReadBuffer) {
    this.#buffer = buffer;
  }

  /**
   * Returns the next frame, or `undefined` if more bytes are needed. The decoder then keeps the part of the frame that
   * has arrived, until the next call with the same codec or until {@link settle}.
   */
  next<T>(codec: Decodes<T>, shortCut?: ShortCut<T>): T | undefined {
    if (codec !== this.#codec) this.settle();
    if (shortCut && !this.#decoder) {
      const frame = shortCut(this.#buffer);
      if (frame !== undefined || this.#buffer.empty) return frame;
    }
    return this.#attempt(() => this.#decode(codec));
  }

  /** Returns the frame that the end of the input completes, or `undefined`. */
  end<T>(codec: Decodes<T>): T | undefined {
    const frame = this.#attempt(() => {
      const decoder = this.#start(codec);
      decoder.end();
      return decoder.next();
    });
    this.settle();
    return frame;
  }

  /** Puts the bytes that the decoder has not used back into the buffer. */
  settle(): void {
    const rest = this.#decoder?.rest();
    this.#decoder = undefined;
    this.#codec = undefined;
    if (rest) this.#buffer.unread(rest);
  }

  #decode<T>(codec: Decodes<T>): T | undefined {
    const decoder = this.#start(codec);
    for (;;) {
      const frame = decoder.next();
      if (frame !== undefined) return frame;
      const portion = this.#buffer.portion(this.#portion);
      if (!portion) return undefined;
      this.#portion *= 2;
      decoder.push(portion);
    }
  }

  /** Returns the present decoder, or a new one after `settle()`. */
  #start<T>(codec: Decodes<T>): Decoder<T> {
    if (!this.#decoder) {
      this.#decoder = codec.decoder();
      this.#codec = codec;
      this.#portion = FIRST_PORTION;
    }
    return this.#decoder as Decoder<T>;
  }

  // After an error the bytes go back, the bad frame included: another codec may be able to decode them.
  #attempt<T>(decode: () => T): T {
    try {
      return decode();
    } catch (error) {
      this.settle();
      throw error;
    }
  }
}
