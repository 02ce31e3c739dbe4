// Lines, fast: a run of short lines is decoded in one go and then sliced; everything else, the line that a chunk ends
// in the middle of, the long one, the one over the limit, is left to the general state machine.
import { CR, DelimiterDecoder, type DelimiterRules } from './delimiter-decoder.js';

/**
 * How many bytes are decoded in one go. A slice of a string holds on to the whole of it, so this is also what a single
 * line that somebody keeps can hold on to. Longer runs were measurably, but not much, faster.
 */
const RUN = 8 * 1024;

const LF = 10;

/** Makes a frame of line number `number`, counted from 1, or leaves it out by giving `undefined`. */
export type ReadLine<T> = (line: string, number: number) => T | undefined;

export class LineDecoder<T> extends DelimiterDecoder<T> {
  readonly #encoding: BufferEncoding;
  readonly #readLine: ReadLine<T>;
  readonly #delimiter: string;
  /** The run at hand, whole lines; empty between runs. */
  #run = '';
  /** Where in `#run` its next line begins. */
  #at = 0;
  /** How many lines of the run are taken and still in the queue. */
  #taken = 0;
  /** How many bytes the run has in the queue, from its position on: they stay there until the last line is taken. */
  #length = 0;

  constructor(rules: DelimiterRules, encoding: BufferEncoding, readLine: ReadLine<T>) {
    super(rules);
    this.#encoding = encoding;
    this.#readLine = readLine;
    this.#delimiter = rules.delimiter.toString('latin1');
  }

  protected override pull(): T | undefined {
    while (this.#run !== '' || this.#startRun()) {
      const frame = this.#sliceLine();
      if (frame !== undefined) return frame;
    }
    return super.pull();
  }

  protected override read(bytes: Buffer, from: number, to: number): T | undefined {
    return this.#readLine(bytes.toString(this.#encoding, from, to), this.passed + 1);
  }

  override rest(): Uint8Array {
    this.#settle();
    return super.rest();
  }

  /**
   * Decodes what lies before the last delimiter within reach. No line in it can be over the limit, for a run is at most
   * that long. Neither LF nor CR occurs inside another character of UTF-8 or Latin-1, and an invalid sequence of UTF-8
   * ends before it, so that decoding the run and decoding each line give the same text.
   */
  #startRun(): boolean {
    const { queue, rules } = this;
    const { chunk, at } = queue;
    const width = rules.delimiter.length;
    const reach = Math.min(chunk.length, at + Math.min(RUN, rules.maxLength + width)) - width;
    if (reach < at || queue.keptLength > 0 || this.discarding) return false;
    // Not found, this stops at the delimiter before `at` and so does not look at earlier lines again.
    const last = width === 1 ? chunk.lastIndexOf(LF, reach) : chunk.lastIndexOf(rules.delimiter, reach);
    if (last < at) return false;
    this.#length = last + width - at;
    this.#run = chunk.toString(this.#encoding, at, last + width);
    return true;
  }

  #sliceLine(): T | undefined {
    const run = this.#run;
    const from = this.#at;
    const found = run.indexOf(this.#delimiter, from);
    const to = this.rules.stripCR && found > from && run.charCodeAt(found - 1) === CR ? found - 1 : found;
    const frame = this.#readLine(run.slice(from, to), this.passed + 1);
    this.passed++;
    this.#taken++;
    this.#at = found + this.#delimiter.length;
    if (this.#at === run.length) this.#finishRun();
    return frame;
  }

  #finishRun(): void {
    this.queue.skip(this.#length);
    this.#run = '';
    this.#at = 0;
    this.#taken = 0;
  }

  /** Moves the queue's position behind the lines that are taken. Text and bytes differ in length, so they are counted. */
  #settle(): void {
    const { queue, rules } = this;
    let end = queue.at;
    for (; this.#taken > 0; this.#taken--) end = queue.chunk.indexOf(rules.delimiter, end) + rules.delimiter.length;
    this.#length -= end - queue.at;
    queue.skip(end - queue.at);
  }
}
