// Decoders to plant faults in: each is right, and a subclass changes one thing.
import { FrameError, FrameTooLongError } from '../../src/base/errors.js';
import type { Codec, Decoder } from '../../src/framing/codec.js';

/** Keeps all its bytes in one buffer, and copies it for every chunk: simple, but it takes quadratic time. */
export abstract class SimpleDecoder<T> implements Decoder<T> {
  bytes: Buffer = Buffer.alloc(0);
  ended = false;
  failure: { error: unknown } | undefined;

  /** Returns the next frame, `undefined`, or throws. */
  protected abstract take(): T | undefined;

  push(chunk: Uint8Array): void {
    if (this.failure) throw this.failure.error;
    this.bytes = Buffer.concat([this.bytes, chunk]);
  }

  next(): T | undefined {
    if (this.failure) throw this.failure.error;
    try {
      return this.take();
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }

  end(): void {
    this.ended = true;
  }

  rest(): Uint8Array {
    return Buffer.from(this.bytes);
  }

  /** Consumes bytes, and returns a copy of them. */
  protected consume(length: number): Buffer {
    const taken = Buffer.from(this.bytes.subarray(0, length));
    this.bytes = this.bytes.subarray(length);
    return taken;
  }
}

/** Lines that end with LF, with a CR before it or without. */
export class SimpleLines extends SimpleDecoder<string> {
  protected override take(): string | undefined {
    const end = this.findEnd();
    if (end < 0) return this.ended && this.bytes.length > 0 ? String(this.consume(this.bytes.length)) : undefined;
    return this.lineOf(this.consume(end + 1).subarray(0, end));
  }

  protected findEnd(): number {
    return this.bytes.indexOf(10);
  }

  protected lineOf(bytes: Buffer): string {
    return String(bytes).replace(/\r$/, '');
  }
}

/** One byte of length, then the payload. The length 0xff is an error, and so is an input that ends inside a frame. */
export class SimpleShort extends SimpleDecoder<Uint8Array> {
  protected override take(): Uint8Array | undefined {
    const length = this.readLength();
    if (length === undefined || this.bytes.length <= length) {
      if (this.ended && length !== undefined) throw new FrameError('Not whole');
      return undefined;
    }
    return this.consume(length + 1).subarray(1);
  }

  protected readLength(): number | undefined {
    if (this.bytes[0] === 0xff) throw new FrameError('No length');
    return this.bytes[0];
  }
}

export const tooLong = (limit: number) => new FrameTooLongError('Too long', { limit });

export const linesWith = (Class: new () => Decoder<string>, delimiter = '\n'): Codec<string> => ({
  decoder: () => new Class(),
  encode: (value) => value + delimiter,
});

export const shortWith = (Class: new () => Decoder<Uint8Array>): Codec<Uint8Array> => ({
  decoder: () => new Class(),
  encode: (value) => Buffer.concat([Buffer.of(value.length), value]),
});
