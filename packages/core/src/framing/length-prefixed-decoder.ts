// The state machine for frames that begin with their length.
import { FrameError, FrameTooLongError } from '../base/errors.js';
import { BorrowingDecoder } from './borrowing-decoder.js';
import type { ByteQueue } from './byte-queue.js';
import { type ByteOrder, type LengthField, readUnsigned, VarintReader } from './length-field.js';

/** The options of a {@link LengthPrefixedDecoder}, checked and with the defaults filled in. */
export interface LengthPrefixedDecoderOptions {
  readonly lengthField: LengthField;
  readonly byteOrder: ByteOrder;
  /** How many bytes come before the length field. */
  readonly offset: number;
  /** What to add to the value of the length field to get the length of the payload, in bytes. */
  readonly adjustment: number;
  /** The longest payload, in bytes. */
  readonly maxLength: number;
}

/**
 * Takes the next frame out of the queue, where it was gathered.
 *
 * @param payloadStart How many bytes lie before the payload.
 */
export type TakeFrame<T> = (queue: ByteQueue, payloadStart: number, frameLength: number) => T;

export class LengthPrefixedDecoder<T> extends BorrowingDecoder<T> {
  readonly #options: LengthPrefixedDecoderOptions;
  readonly #take: TakeFrame<T>;
  readonly #varint = new VarintReader();
  /** How many bytes lie before the payload. `undefined` until the length has been read. */
  #headerLength: number | undefined;
  /** The length of the payload. It counts only while `#headerLength` is set. */
  #payloadLength = 0;

  constructor(options: LengthPrefixedDecoderOptions, take: TakeFrame<T>) {
    super();
    this.#options = options;
    this.#take = take;
  }

  protected decodeFrame(): T | undefined {
    const { queue } = this;
    if (this.#headerLength === undefined && !this.#readHeader()) return this.needMoreBytes('frame');
    const headerLength = this.#headerLength!;
    const frameLength = headerLength + this.#payloadLength;
    if (!queue.gather(frameLength)) return this.needMoreBytes('frame');
    const frame = this.#take(queue, headerLength, frameLength);
    this.#headerLength = undefined;
    return frame;
  }

  /** Returns `false` if the length has not arrived yet. */
  #readHeader(): boolean {
    const { queue } = this;
    const { lengthField, byteOrder, offset } = this.#options;
    if (lengthField === 'varint') return this.#readVarint();
    if (!queue.gather(offset + lengthField)) return false;
    this.#setLength(readUnsigned(queue.buffer, queue.offset + offset, lengthField, byteOrder), offset + lengthField);
    return true;
  }

  #readVarint(): boolean {
    const { queue } = this;
    const { offset } = this.#options;
    let last = false;
    while (!last) {
      const index = offset + this.#varint.length;
      if (!queue.gather(index + 1)) return false;
      last = this.#varint.readByte(queue.buffer[queue.offset + index]!);
    }
    this.#setLength(this.#varint.value, offset + this.#varint.length);
    this.#varint.reset();
    return true;
  }

  #setLength(fieldValue: number, headerLength: number): void {
    const { adjustment, maxLength } = this.#options;
    const payloadLength = fieldValue + adjustment;
    if (payloadLength < 0) {
      const problem = `A frame declares the length ${fieldValue}, which an adjustment of ${adjustment} makes negative`;
      throw new FrameError(`${problem}: check what the peer counts`);
    }
    if (fieldValue > Number.MAX_SAFE_INTEGER || payloadLength > maxLength) {
      throw new FrameTooLongError(
        `A frame declares a payload over ${maxLength} bytes: raise maxLength, or check what the peer sends`,
        { limit: maxLength },
      );
    }
    this.#headerLength = headerLength;
    this.#payloadLength = payloadLength;
  }
}
