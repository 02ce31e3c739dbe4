// Knows whether a decoder is inside a frame. Only rest() tells, and it copies the frame: asked too often, it would cost
// quadratic time. So it is asked again only when it can have changed, and when as many bytes were pushed as it copies.
import type { Decoder } from './codec.js';

export class UnfinishedFrame {
  readonly #decoder: Pick<Decoder<unknown>, 'rest'>;
  /** The length of `rest()` at the last answer; 0 if a frame was taken since. */
  #rest = 0;
  /** How many bytes were pushed since the last answer. */
  #pushed = 0;
  /** Whether a chunk was pushed or a frame was taken since the last answer. */
  #changed = false;

  constructor(decoder: Pick<Decoder<unknown>, 'rest'>) {
    this.#decoder = decoder;
  }

  /** Call it after `push()`. */
  pushed(length: number): void {
    this.#pushed += length;
    this.#changed = true;
  }

  /** Call it after every frame. */
  taken(): void {
    this.#rest = 0;
    this.#changed = true;
  }

  /** Whether bytes of an unfinished frame have arrived. A frame that the decoder skips may count a little too long. */
  get exists(): boolean {
    if (this.#changed && this.#pushed >= this.#rest) {
      this.#rest = this.#decoder.rest().length;
      this.#pushed = 0;
      this.#changed = false;
    }
    return this.#rest > 0;
  }
}
