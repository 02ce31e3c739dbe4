// A fast path for lines: a run of short lines is decoded to one string and then sliced. The general state machine
// decodes the others: a line that is cut by the end of a chunk, a long line, and a line over the limit.
import { CR, DelimiterDecoder, type DelimiterDecoderOptions } from './delimiter-decoder.js';

/**
 * How many bytes are decoded to one string. A slice keeps the whole string in memory, so this is also the most that one
 * line keeps in memory. Longer runs were faster in measurements, but not by much.
 */
const MAX_RUN_LENGTH = 8 * 1024;

const LF = 10;

/**
 * Turns a line into a frame. Returns `undefined` to skip the line.
 *
 * @param lineNumber The number of the line in the input, from 1.
 */
export type ParseLine<T> = (line: string, lineNumber: number) => T | undefined;

export class LineDecoder<T> extends DelimiterDecoder<T> {
  readonly #encoding: BufferEncoding;
  readonly #parseLine: ParseLine<T>;
  readonly #delimiter: string;
  /** The current run: whole lines with their delimiters. Empty between two runs. */
  #run = '';
  /** Where the next line begins in `#run`. */
  #runPosition = 0;
  /** How many lines of the run have been returned while their bytes are still in the queue. */
  #linesTaken = 0;
  /** How many bytes of the run are in the queue, from its position on. They stay there until the last line is taken. */
  #runByteLength = 0;

  constructor(options: DelimiterDecoderOptions, encoding: BufferEncoding, parseLine: ParseLine<T>) {
    super(options);
    this.#encoding = encoding;
    this.#parseLine = parseLine;
    this.#delimiter = options.delimiter.toString('latin1');
  }

  protected override decodeFrame(): T | undefined {
    while (this.#run !== '' || this.#startRun()) {
      const frame = this.#takeLine();
      if (frame !== undefined) return frame;
    }
    return super.decodeFrame();
  }

  protected override decodePayload(bytes: Buffer, start: number, end: number): T | undefined {
    return this.#parseLine(bytes.toString(this.#encoding, start, end), this.frameCount + 1);
  }

  override rest(): Uint8Array {
    this.#consumeTakenLines();
    return super.rest();
  }

  /**
   * Starts a run: decodes the bytes up to the last delimiter that a run can reach. Returns `false` if there is none.
   *
   * A run is no longer than `maxLength` and a delimiter, so no line in it is over the limit. Decoding a run gives the
   * same text as decoding each line: in UTF-8 and Latin-1 the bytes of LF and CR are never part of another character,
   * and an invalid sequence of UTF-8 ends before them.
   */
  #startRun(): boolean {
    const { queue, options } = this;
    const { chunk, position } = queue;
    const width = options.delimiter.length;
    const reach = Math.min(chunk.length, position + Math.min(MAX_RUN_LENGTH, options.maxLength + width)) - width;
    if (reach < position || queue.savedLength > 0 || this.discarding) return false;
    // A search that finds nothing in the run stops at the delimiter before `position`: no earlier line is searched
    // again.
    const last = width === 1 ? chunk.lastIndexOf(LF, reach) : chunk.lastIndexOf(options.delimiter, reach);
    if (last < position) return false;
    this.#runByteLength = last + width - position;
    this.#run = chunk.toString(this.#encoding, position, last + width);
    return true;
  }

  /** Slices the next line off the run. */
  #takeLine(): T | undefined {
    const run = this.#run;
    const start = this.#runPosition;
    const found = run.indexOf(this.#delimiter, start);
    const end = this.options.stripCR && found > start && run.charCodeAt(found - 1) === CR ? found - 1 : found;
    const frame = this.convert(this.#parseLine(run.slice(start, end), this.frameCount + 1));
    this.frameCount++;
    this.#linesTaken++;
    this.#runPosition = found + this.#delimiter.length;
    if (this.#runPosition === run.length) this.#endRun();
    return frame;
  }

  #endRun(): void {
    this.queue.advance(this.#runByteLength);
    this.#run = '';
    this.#runPosition = 0;
    this.#linesTaken = 0;
  }

  /**
   * Consumes the bytes of the lines that were taken from the run. It counts delimiters, because the length of the text
   * is not the length of the bytes.
   */
  #consumeTakenLines(): void {
    const { queue, options } = this;
    const { delimiter } = options;
    let end = queue.position;
    for (; this.#linesTaken > 0; this.#linesTaken--) end = queue.chunk.indexOf(delimiter, end) + delimiter.length;
    this.#runByteLength -= end - queue.position;
    queue.advance(end - queue.position);
  }
}
