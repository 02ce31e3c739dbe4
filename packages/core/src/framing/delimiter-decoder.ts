// The state machine for frames that end with a delimiter. What a frame's bytes become is the subclass's business.
import { FrameTooLongError } from '../base/errors.js';
import { DelimiterSearch } from './delimiter-search.js';
import { FrameDecoder, truncated } from './frame-decoder.js';
import type { OversizePolicy, TrailingPolicy } from './options.js';

export const CR = 13;

export interface DelimiterRules {
  readonly delimiter: Buffer;
  /** Whether one CR before the delimiter is part of the delimiter. */
  readonly stripCR: boolean;
  readonly maxLength: number;
  readonly trailing: TrailingPolicy;
  readonly oversize: OversizePolicy;
  /** What the error messages call a frame. */
  readonly noun: string;
  /** What to do about a frame that is too long; `undefined`: what the options of a codec offer. */
  readonly remedy?: string;
}

export abstract class DelimiterDecoder<T> extends FrameDecoder<T> {
  protected readonly rules: DelimiterRules;
  /** How many frames are behind us, those that were discarded or left out included. */
  protected passed = 0;
  /** Whether the frame under way is over the limit, and its bytes so far are gone. */
  protected discarding = false;
  readonly #search: DelimiterSearch;

  constructor(rules: DelimiterRules) {
    super();
    this.rules = rules;
    this.#search = new DelimiterSearch(rules.delimiter);
  }

  /** Makes a frame of a payload, or leaves it out by giving `undefined`; may throw, before anything is consumed. */
  protected abstract read(bytes: Buffer, from: number, to: number): T | undefined;

  protected pull(): T | undefined {
    const { queue } = this;
    while (queue.at < queue.chunk.length) {
      const end = this.#search.find(queue.chunk, queue.at);
      const frame = end < 0 ? this.#goOn() : this.#finish(end - queue.at);
      if (frame !== undefined) return frame;
    }
    return this.ended ? this.#last() : undefined;
  }

  override rest(): Uint8Array {
    if (!this.discarding) return super.rest();
    // Whether these belong to the discarded frame or end it is still open.
    return Buffer.concat([this.rules.delimiter.subarray(0, this.#search.matched), super.rest()]);
  }

  /** The chunk ends inside a frame: keep its bytes, unless no delimiter can come in time any more. */
  #goOn(): undefined {
    const { queue, rules } = this;
    const there = queue.chunk.length - queue.at;
    if (this.discarding) {
      queue.skip(there);
      return undefined;
    }
    const openCR = rules.stripCR && queue.chunk[queue.chunk.length - 1] === CR ? 1 : 0;
    if (queue.size - this.#search.matched - openCR > rules.maxLength) {
      this.#tooLong();
      this.discarding = true;
      queue.drop(queue.size);
    } else {
      queue.keep(there, rules.maxLength + rules.delimiter.length + 1);
    }
    return undefined;
  }

  /** The chunk's next `count` bytes end with the delimiter that ends the frame. */
  #finish(count: number): T | undefined {
    const { queue, rules } = this;
    if (this.discarding) {
      this.discarding = false;
      this.passed++;
      queue.skip(count);
      return undefined;
    }
    const total = queue.keptLength + count;
    let payload = total - rules.delimiter.length;
    // The first test alone keeps a frame that is far over the limit from being copied.
    if (payload - 1 <= rules.maxLength) {
      queue.need(total);
      if (rules.stripCR && payload > 0 && queue.source[queue.offset + payload - 1] === CR) payload--;
    }
    let frame: T | undefined;
    if (payload > rules.maxLength) this.#tooLong();
    else frame = this.read(queue.source, queue.offset, queue.offset + payload);
    this.passed++;
    queue.drop(total);
    return frame;
  }

  /** The input has ended; what is left has no delimiter, so that a CR at its end is data. */
  #last(): T | undefined {
    const { queue, rules } = this;
    const length = queue.size;
    this.discarding = false;
    if (length === 0) return undefined;
    if (length > rules.maxLength) {
      this.#tooLong();
      queue.drop(length);
      return undefined;
    }
    if (rules.trailing === 'error') throw truncated(rules.noun, length);
    // What is dropped stays in rest(): it was taken in, and it is no frame.
    if (rules.trailing === 'drop') return undefined;
    const frame = this.read(queue.source, queue.offset, queue.offset + length);
    this.passed++;
    queue.drop(length);
    return frame;
  }

  #tooLong(): void {
    const { maxLength, noun, oversize } = this.rules;
    if (oversize === 'discard') return;
    const { remedy = `raise maxLength, or leave such ${noun}s out with oversize: 'discard'` } = this.rules;
    throw new FrameTooLongError(`A ${noun} is longer than ${maxLength} bytes: ${remedy}.`, { limit: maxLength });
  }
}
