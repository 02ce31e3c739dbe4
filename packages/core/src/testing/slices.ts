// Slices: where a stream of bytes is cut into pieces. The cuts depend only on the place in the stream, not on the chunks
// in which the bytes come.
import type { SlicerOptions } from './faults.js';
import { randomAt } from './random.js';

export class Slices {
  /** Whether every piece gets its own turn, so that the receiver does not get two pieces as one. */
  readonly separate: boolean;
  /** The pause after each piece, in milliseconds. */
  readonly delay: number;
  /** Returns the size of a piece. The first piece has the index 0. */
  readonly #sizeOf: (index: number) => number;
  #begun = 0;
  /** How many bytes of the piece that has begun are still to come. */
  #left = 0;

  /**
   * @param seed Decides the random sizes.
   * @param otherwise The size of all pieces if there is no slicer.
   */
  constructor(slicer: SlicerOptions | undefined, seed: number, otherwise: number) {
    const { averageSize = otherwise, sizeVariation = 0, sizes, delay = 0 } = slicer ?? {};
    this.separate = slicer !== undefined;
    this.delay = delay;
    const least = averageSize - sizeVariation;
    this.#sizeOf = sizes
      ? (index) => sizes[index % sizes.length] as number
      : (index) => least + Math.floor(randomAt(seed, index) * (2 * sizeVariation + 1));
  }

  /** Whether the last piece is complete. */
  get complete(): boolean {
    return this.#left === 0;
  }

  /** Takes the next bytes of a piece. Returns how many: at most `available`. */
  take(available: number): number {
    if (this.#left === 0) this.#left = this.#sizeOf(this.#begun++);
    const taken = Math.min(available, this.#left);
    this.#left -= taken;
    return taken;
  }
}
