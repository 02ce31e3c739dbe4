// One frame that is everything up to the end of the input.
import { FrameTooLongError } from '../base/errors.js';
import type { Codec } from './codec.js';
import { FrameDecoder } from './frame-decoder.js';

/** @param maxLength The most bytes it takes. */
export function restCodec(maxLength: number): Pick<Codec<Buffer>, 'decoder'> {
  return { decoder: () => new RestDecoder(maxLength) };
}

class RestDecoder extends FrameDecoder<Buffer> {
  readonly #maxLength: number;

  constructor(maxLength: number) {
    super();
    this.#maxLength = maxLength;
  }

  protected override pull(): Buffer | undefined {
    const { queue } = this;
    const { size } = queue;
    if (size > this.#maxLength) {
      const message = `More than maxLength (${this.#maxLength}) bytes came before the end of the input: raise it, or read in pieces`;
      throw new FrameTooLongError(message, { limit: this.#maxLength });
    }
    // Not need(), which takes its number for the frame's length and would make room for no more than that.
    queue.keep(queue.chunk.length - queue.at, this.#maxLength);
    return this.ended && size > 0 ? queue.take(0, size, size) : undefined;
  }
}
