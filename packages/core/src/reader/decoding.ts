// Decodes frames of one codec and then of another from the same bytes. The cost of changing the codec grows with the
// frames that were read, and not with the bytes that have arrived after them.
import type { Codec, Decoder } from '../framing/codec.js';
import type { ReadBuffer } from './read-buffer.js';

/** The decoding half of a codec. */
export interface Decodes<T> extends Pick<Codec<T>, 'decoder'> {
  /** Whether each decoder returns a single frame. */
  readonly isSingle?: boolean;
}

/**
 * A fast path for the common case: takes a frame directly from the bytes. Returns `undefined` to leave the frame to the
 * codec.
 */
export type FastPath<T> = (buffer: ReadBuffer) => T | undefined;

/**
 * How many bytes a decoder receives first. Each portion is twice as long as the one before it. A decoder returns its
 * unused bytes as a copy: this way the copy is never much longer than the bytes that the decoder has used.
 */
const FIRST_PORTION = 512;

export class Decoding {
  readonly #buffer: ReadBuffer;
  #codec: Decodes<unknown> | undefined;
  /** The decoder of `#codec`. It has received bytes that are no longer in `#buffer`. */
  #decoder: Decoder<unknown> | undefined;
  #portion = FIRST_PORTION;

  /** Whether a decoder has received bytes that are no longer in the buffer. */
  get isUnderWay(): boolean {
    return this.#decoder !== undefined;
  }

  constructor(buffer: ReadBuffer) {
    this.#buffer = buffer;
  }

  /**
   * Returns the next frame, or `undefined` if more bytes are needed. The decoder then keeps the part of the frame that
   * has arrived, until the next call with the same codec or until {@link unreadRest}.
   */
  next<T>(codec: Decodes<T>, fastPath?: FastPath<T>): T | undefined {
    if (codec !== this.#codec) this.unreadRest();
    if (fastPath && !this.#decoder) {
      const frame = fastPath(this.#buffer);
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
    this.unreadRest();
    return frame;
  }

  /** Gives the bytes that the decoder has not used back to the buffer. */
  unreadRest(): void {
    const rest = this.#decoder?.rest();
    this.#decoder = undefined;
    this.#codec = undefined;
    if (rest) this.#buffer.unread(rest);
  }

  #decode<T>(codec: Decodes<T>): T | undefined {
    const decoder = this.#start(codec);
    for (;;) {
      const frame = decoder.next();
      if (frame !== undefined) {
        if (codec.isSingle) this.unreadRest();
        return frame;
      }
      const portion = this.#buffer.portion(this.#portion);
      if (!portion) return undefined;
      this.#portion *= 2;
      decoder.push(portion);
    }
  }

  /** Returns the current decoder, or a new one after `unreadRest()`. */
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
      this.unreadRest();
      throw error;
    }
  }
}
