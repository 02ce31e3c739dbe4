// mapCodec(): values of the application over the frames of another codec.
import { checkFunction, checkObject } from '../base/check.js';
import { FrameError } from '../base/errors.js';
import { asError } from '../base/thrown.js';
import type { Codec, Decoder, FrameCodec } from './codec.js';
import { FrameDecoder } from './frame-decoder.js';

/** What {@link mapCodec} does with each frame and with each value. */
export interface FrameMapping<T, U, M> {
  /**
   * Turns a frame into a value. Return `undefined` to leave the frame out. Throw for a frame that is not valid.
   */
  readonly decode: (frame: T) => M | undefined;
  /** Turns a value into a frame, from which `decode` makes the same value. Throw for a value that has no frame. */
  readonly encode: (value: M) => U;
}

/**
 * A codec for values of the application. Another codec splits the bytes into frames, and two functions turn frames into
 * values and back.
 *
 * ```text
 *   BYTES                          FRAMES             VALUES
 *   +--------------+----+          +--------------+
 *   | PING :server | \r\n |  lines   | PING :server |  decode   { command: 'PING', to: 'server' }
 *   +--------------+----+   -->    +--------------+    -->
 * ```
 *
 * It keeps the rules of {@link Decoder}: the values before a bad frame come first, and after the error `rest()` begins
 * with the bad frame. A decoder that does not extend {@link FrameDecoder} cannot give a frame back: after an error of
 * `decode`, its `rest()` begins behind the bad frame.
 *
 * @param codec The codec of the frames.
 * @param mapping Both directions.
 * @returns A codec of the values.
 * @throws At the call: {@link TypeError} for something that is not a codec, or if a function is missing.
 * @throws From the decoder: the errors of `codec`; {@link FrameError} (`ERR_FRAME_MALFORMED`) for a frame at which
 * `decode` throws, with what it threw as the `cause`. A FrameError that it throws is not wrapped.
 * @throws From `encode()`: what your `encode` throws, and the errors of `codec`.
 * @example
 * ```ts
 * import { connect, data, decode, linesCodec, mapCodec } from '@rxsock/core';
 *
 * const numbers = mapCodec(linesCodec(), {
 *   decode: (line) => {
 *     const value = Number(line);
 *     if (Number.isNaN(value)) throw new Error(`${line} is not a number`);
 *     return value;
 *   },
 *   encode: (value) => `${value}`,
 * });
 * connect({ port: 9000 }).pipe(data(), decode(numbers)).subscribe((value) => console.log(value + 1));
 * ```
 */
export function mapCodec<T, U, M>(codec: FrameCodec<T, U>, mapping: FrameMapping<T, U, M>): Codec<M> {
  checkObject('codec', codec, 'a codec, such as linesCodec()');
  checkObject('mapping', mapping, '{ decode, encode }');
  checkFunction('codec.decoder', codec.decoder);
  checkFunction('codec.encode', codec.encode);
  checkFunction('decode', mapping.decode);
  checkFunction('encode', mapping.encode);
  const convert = (frame: T) => {
    try {
      return mapping.decode(frame);
    } catch (error) {
      throw asFrameError(error);
    }
  };
  return {
    decoder: () => {
      const decoder = codec.decoder();
      return decoder instanceof FrameDecoder ? decoder.convertFrames(convert) : new MappedDecoder(decoder, convert);
    },
    encode: (value) => codec.encode(mapping.encode(value)),
  };
}

function asFrameError(error: unknown): FrameError {
  if (error instanceof FrameError) return error;
  return new FrameError(`The codec refused a frame: ${asError(error).message}`, { cause: error });
}

/** Maps the frames of a decoder that somebody has written without {@link FrameDecoder}. */
class MappedDecoder<T, M> implements Decoder<M> {
  readonly #decoder: Decoder<T>;
  readonly #convert: (frame: T) => M | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(decoder: Decoder<T>, convert: (frame: T) => M | undefined) {
    this.#decoder = decoder;
    this.#convert = convert;
  }

  push(chunk: Uint8Array): void {
    if (this.#failure) throw this.#failure.error;
    this.#decoder.push(chunk);
  }

  next(): M | undefined {
    if (this.#failure) throw this.#failure.error;
    try {
      for (let frame = this.#decoder.next(); frame !== undefined; frame = this.#decoder.next()) {
        const value = this.#convert(frame);
        if (value !== undefined) return value;
      }
      return undefined;
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  end(): void {
    this.#decoder.end();
  }

  rest(): Uint8Array {
    return this.#decoder.rest();
  }
}
