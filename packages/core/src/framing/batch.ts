// The codec of a batch: several frames of another codec, taken all together or not at all.
import { SMALL_CHUNK, SmallChunks } from '../base/small-chunks.js';
import type { Codec, Decoder } from './codec.js';

/**
 * The next `count` frames of `codec` as one array. At the end of the input the array may be shorter. Each decoder
 * returns one batch.
 */
export function batchCodec<T>(codec: Pick<Codec<T>, 'decoder'>, count: number): Pick<Codec<T[]>, 'decoder'> {
  return { decoder: () => new BatchDecoder(codec.decoder(), count) };
}

class BatchDecoder<T> implements Decoder<T[]> {
  readonly #decoder: Decoder<T>;
  readonly #count: number;
  readonly #frames: T[] = [];
  /** Every chunk so far, small ones joined. They all belong to `rest()` until the batch is complete. */
  #chunks: Uint8Array[] = [];
  readonly #small = new SmallChunks();
  #ended = false;
  #returned = false;

  constructor(decoder: Decoder<T>, count: number) {
    this.#decoder = decoder;
    this.#count = count;
  }

  push(chunk: Uint8Array): void {
    this.#keep(chunk);
    this.#decoder.push(chunk);
  }

  next(): T[] | undefined {
    if (this.#returned) return undefined;
    while (this.#frames.length < this.#count) {
      const frame = this.#decoder.next();
      if (frame === undefined) break;
      this.#frames.push(frame);
    }
    const complete = this.#frames.length === this.#count;
    if (!(complete || (this.#ended && this.#frames.length > 0))) return undefined;
    this.#returned = true;
    this.#chunks = [];
    this.#small.clear();
    return this.#frames;
  }

  end(): void {
    this.#ended = true;
    this.#decoder.end();
  }

  rest(): Uint8Array {
    return this.#returned ? this.#decoder.rest() : Buffer.concat(this.#chunks);
  }

  #keep(chunk: Uint8Array): void {
    if (this.#returned) return;
    if (chunk.length > SMALL_CHUNK) this.#chunks.push(chunk);
    else this.#small.appendTo(this.#chunks, chunk);
  }
}
