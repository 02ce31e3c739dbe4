// The codec of a single frame: everything up to the end of the input.
import { FrameTooLongError } from '../base/errors.js';
import type { Codec } from './codec.js';
import { FrameDecoder } from './frame-decoder.js';

/** @param maxLength The longest input, in bytes. */
export function wholeInputCodec(maxLength: number): Pick<Codec<Buffer>, 'decoder'> {
  return { decoder: () => new WholeInputDecoder(maxLength) };
}

class WholeInputDecoder extends FrameDecoder<Buffer> {
  readonly #maxLength: number;

  constructor(maxLength: number) {
    super();
    this.#maxLength = maxLength;
  }

  protected override decodeFrame(): Buffer | undefined {
    const { queue } = this;
    const { size } = queue;
    if (size > this.#maxLength) {
      const problem = `More than maxLength (${this.#maxLength}) bytes came before the end of the input`;
      throw new FrameTooLongError(`${problem}: raise it, or read in pieces`, { limit: this.#maxLength });
    }
    // Not gather(size): it takes `size` for the frame's whole length and reserves no more, so each chunk would cost a
    // copy of all bytes before it.
    queue.save(queue.chunk.length - queue.position, this.#maxLength);
    return this.ended && size > 0 ? queue.takeFrame(0, size, size) : undefined;
  }
}
