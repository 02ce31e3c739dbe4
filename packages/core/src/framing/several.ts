// A number of frames as one: all of them are taken, or none.
import type { Codec, Decoder } from './codec.js';

/**
 * The next `count` frames of another codec, or as many as there are before the end of the input. Each decoder gives them
 * once.
 */
export function severalCodec<T>(codec: Pick<Codec<T>, 'decoder'>, count: number): Pick<Codec<T[]>, 'decoder'> {
  return { decoder: () => new SeveralDecoder(codec.decoder(), count) };
}

class SeveralDecoder<T> implements Decoder<T[]> {
  readonly #decoder: Decoder<T>;
  readonly #count: number;
  readonly #frames: T[] = [];
  /** All that has come: until the last frame is there, none is taken. */
  #chunks: Uint8Array[] = [];
  #ended = false;
  #given = false;

  constructor(decoder: Decoder<T>, count: number) {
    this.#decoder = decoder;
    this.#count = count;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#decoder.push(chunk);
  }

  next(): T[] | undefined {
    if (this.#given) return undefined;
    while (this.#frames.length < this.#count) {
      const frame = this.#decoder.next();
      if (frame === undefined) break;
      this.#frames.push(frame);
    }
    const all = this.#frames.length === this.#count;
    if (!(all || (this.#ended && this.#frames.length > 0))) return undefined;
    this.#given = true;
    this.#chunks = [];
    return this.#frames;
  }

  end(): void {
    this.#ended = true;
    this.#decoder.end();
  }

  rest(): Uint8Array {
    return this.#given ? this.#decoder.rest() : Buffer.concat(this.#chunks);
  }
}
