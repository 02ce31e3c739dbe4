// The state machine for frames that end with a delimiter. Subclasses turn the bytes of a payload into a frame.
import { FrameTooLongError } from '../base/errors.js';
import { BorrowingDecoder } from './borrowing-decoder.js';
import { DelimiterSearch } from './delimiter-search.js';
import { truncatedFrame } from './frame-decoder.js';
import type { OversizePolicy, TrailingPolicy } from './options.js';

export const CR = 13;

/** The options of a {@link DelimiterDecoder}, checked and with the defaults filled in. */
export interface DelimiterDecoderOptions {
  readonly delimiter: Buffer;
  /** Whether one CR before the delimiter belongs to the delimiter. */
  readonly stripCR: boolean;
  /** The longest payload, in bytes. */
  readonly maxLength: number;
  readonly trailing: TrailingPolicy;
  readonly oversize: OversizePolicy;
  /** What the error messages call a frame. */
  readonly frameName: string;
  /** What the error message advises for a frame that is too long. By default it names the options of the codec. */
  readonly remedy?: string;
}

export abstract class DelimiterDecoder<T> extends BorrowingDecoder<T> {
  protected readonly options: DelimiterDecoderOptions;
  /** `true` while the current frame is over the limit. Its bytes so far are discarded. */
  protected discarding = false;
  readonly #search: DelimiterSearch;

  constructor(options: DelimiterDecoderOptions) {
    super();
    this.options = options;
    this.#search = new DelimiterSearch(options.delimiter);
  }

  /**
   * Turns the payload between `start` and `end` into a frame. Returns `undefined` to skip the frame. It may throw: no
   * byte of the frame is consumed yet.
   */
  protected abstract decodePayload(bytes: Buffer, start: number, end: number): T | undefined;

  protected decodeFrame(): T | undefined {
    const { queue } = this;
    while (queue.position < queue.chunk.length) {
      const end = this.#search.find(queue.chunk, queue.position);
      const frame = end < 0 ? this.#savePartialFrame() : this.#endFrame(end - queue.position);
      if (frame !== undefined) return frame;
    }
    return this.ended ? this.#endInput() : undefined;
  }

  // decodeFrame() converts each frame before it consumes its bytes.
  protected override decodeAndConvert(): T | undefined {
    return this.decodeFrame();
  }

  override rest(): Uint8Array {
    if (!this.discarding) return super.rest();
    // The last bytes may be the beginning of a delimiter. Until that is known they are not part of the discarded frame.
    return Buffer.concat([this.options.delimiter.subarray(0, this.#search.matchedLength), super.rest()]);
  }

  /** The chunk ends inside a frame. Saves the bytes of the frame, unless the payload is over the limit already. */
  #savePartialFrame(): undefined {
    const { queue, options } = this;
    const unconsumed = queue.chunk.length - queue.position;
    if (this.discarding) {
      queue.advance(unconsumed);
      return undefined;
    }
    // A last CR may turn out to belong to the delimiter.
    const openCR = options.stripCR && queue.chunk[queue.chunk.length - 1] === CR ? 1 : 0;
    if (queue.size - this.#search.matchedLength - openCR > options.maxLength) {
      this.#reportOversize();
      this.discarding = true;
      queue.dropFrame(queue.size);
    } else {
      queue.save(unconsumed, options.maxLength + options.delimiter.length + 1);
    }
    return undefined;
  }

  /** The frame ends with the next `count` bytes of the chunk. The delimiter is the last part of them. */
  #endFrame(count: number): T | undefined {
    const { queue, options } = this;
    if (this.discarding) {
      this.discarding = false;
      this.frameCount++;
      queue.advance(count);
      return undefined;
    }
    const frameLength = queue.savedLength + count;
    let payloadLength = frameLength - options.delimiter.length;
    // A frame that is over the limit even without a CR is not gathered, because that would copy it.
    if (payloadLength - 1 <= options.maxLength) {
      queue.gather(frameLength);
      if (options.stripCR && payloadLength > 0 && queue.buffer[queue.offset + payloadLength - 1] === CR) {
        payloadLength--;
      }
    }
    let frame: T | undefined;
    if (payloadLength > options.maxLength) this.#reportOversize();
    else frame = this.convert(this.decodePayload(queue.buffer, queue.offset, queue.offset + payloadLength));
    this.frameCount++;
    queue.dropFrame(frameLength);
    return frame;
  }

  /** The input has ended. What is left has no delimiter, so a CR at its end belongs to the payload. */
  #endInput(): T | undefined {
    const { queue, options } = this;
    const length = queue.size;
    this.discarding = false;
    if (length === 0) return undefined;
    if (length > options.maxLength) {
      this.#reportOversize();
      queue.dropFrame(length);
      return undefined;
    }
    if (options.trailing === 'error') throw truncatedFrame(options.frameName, length);
    // Dropped bytes stay in rest(): they were received, and they are in no frame.
    if (options.trailing === 'drop') return undefined;
    const frame = this.convert(this.decodePayload(queue.buffer, queue.offset, queue.offset + length));
    queue.dropFrame(length);
    return frame;
  }

  /** The current frame is over the limit. Throws, unless such frames are discarded. */
  #reportOversize(): void {
    const { maxLength, frameName, oversize } = this.options;
    if (oversize === 'discard') return;
    const { remedy = `raise maxLength, or skip such ${frameName}s with oversize: 'discard'` } = this.options;
    throw new FrameTooLongError(`A ${frameName} is longer than ${maxLength} bytes: ${remedy}`, { limit: maxLength });
  }
}
