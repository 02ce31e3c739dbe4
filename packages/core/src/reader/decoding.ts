// Frames of one codec and then of another, out of the same bytes. Who goes over to another codec pays for the frames that
// were read, and not for all the bytes behind them that have come already.
import type { Codec, Decoder } from '../framing/codec.js';
import type { Unread } from './unread.js';

/** What is read: the reading half of a codec. */
export type Decodes<T> = Pick<Codec<T>, 'decoder'>;

/** A short cut: takes a frame, as the codec would give it, right out of the bytes, or leaves it to the codec. */
export type ShortCut<T> = (unread: Unread) => T | undefined;

/**
 * How many bytes a decoder gets at first. Each portion is twice as long as the one before, so that what a decoder has to
 * give back, a copy, is never much longer than what it has used.
 */
const FIRST_PORTION = 512;

export class Decoding {
  readonly #unread: Unread;
  #codec: Decodes<unknown> | undefined;
  /** The decoder of `#codec`; it has bytes that it has not used yet, which are not in `#unread`. */
  #decoder: Decoder<unknown> | undefined;
  #portion = FIRST_PORTION;

  constructor(unread: Unread) {
    this.#unread = unread;
  }

  /**
   * The next frame, or `undefined` when more bytes are needed. What is there of the frame then stays with the decoder
   * until the call is made again, or {@link settle}.
   */
  next<T>(codec: Decodes<T>, shortCut?: ShortCut<T>): T | undefined {
    if (codec !== this.#codec) this.settle();
    if (shortCut && !this.#decoder) {
      const frame = shortCut(this.#unread);
      if (frame !== undefined || this.#unread.empty) return frame;
    }
    return this.#attempt(() => this.#decode(codec));
  }

  /** The frame that the end of the input makes of what is left, or `undefined`. */
  end<T>(codec: Decodes<T>): T | undefined {
    const frame = this.#attempt(() => {
      const decoder = this.#start(codec);
      decoder.end();
      return decoder.next();
    });
    this.settle();
    return frame;
  }

  /** Has the decoder give back what it has not used. */
  settle(): void {
    const rest = this.#decoder?.rest();
    this.#decoder = undefined;
    this.#codec = undefined;
    if (rest) this.#unread.putBack(rest);
  }

  #decode<T>(codec: Decodes<T>): T | undefined {
    const decoder = this.#start(codec);
    for (;;) {
      const frame = decoder.next();
      if (frame !== undefined) return frame;
      const portion = this.#unread.portion(this.#portion);
      if (!portion) return undefined;
      this.#portion *= 2;
      decoder.push(portion);
    }
  }

  /** The same codec goes on with its decoder. */
  #start<T>(codec: Decodes<T>): Decoder<T> {
    if (!this.#decoder) {
      this.#decoder = codec.decoder();
      this.#codec = codec;
      this.#portion = FIRST_PORTION;
    }
    return this.#decoder as Decoder<T>;
  }

  // A bad frame is given back with the rest: another codec may make something of it.
  #attempt<T>(decode: () => T): T {
    try {
      return decode();
    } catch (error) {
      this.settle();
      throw error;
    }
  }
}
