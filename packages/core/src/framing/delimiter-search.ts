// Finds a delimiter in chunks without looking at any byte twice: what of it was at the end of one chunk is remembered
// as a number (Knuth, Morris and Pratt), and the rest is left to the native search.
export class DelimiterSearch {
  readonly delimiter: Buffer;
  /** How many of the last bytes that were searched may be the beginning of a delimiter. */
  matched = 0;
  /** At `i`: how many of the delimiter's first bytes are also the last ones of its first `i + 1`. */
  readonly #border: Uint32Array;

  constructor(delimiter: Buffer) {
    this.delimiter = delimiter;
    this.#border = new Uint32Array(delimiter.length);
    for (let i = 1, length = 0; i < delimiter.length; i++) {
      length = this.#step(length, delimiter[i]!);
      this.#border[i] = length;
    }
  }

  /** The index in `bytes` behind the first delimiter that ends at or after `from`, or -1: then go on with the next chunk. */
  find(bytes: Buffer, from: number): number {
    const { delimiter } = this;
    let at = this.#walk(bytes, from, true);
    if (this.matched === delimiter.length) return this.#found(at);
    if (this.matched > 0) return -1;
    const index = delimiter.length === 1 ? bytes.indexOf(delimiter[0]!, at) : bytes.indexOf(delimiter, at);
    if (index >= 0) return this.#found(index + delimiter.length);
    at = Math.max(at, bytes.length - delimiter.length + 1);
    this.#walk(bytes, at, false);
    return -1;
  }

  #found(end: number): number {
    this.matched = 0;
    return end;
  }

  /** Goes on byte by byte; with `partial` only as long as a delimiter is under way. Gives the index behind the last byte. */
  #walk(bytes: Buffer, from: number, partial: boolean): number {
    let at = from;
    while (at < bytes.length && this.matched < this.delimiter.length && !(partial && this.matched === 0)) {
      this.matched = this.#step(this.matched, bytes[at++]!);
    }
    return at;
  }

  #step(matched: number, byte: number): number {
    let length = matched;
    while (length > 0 && this.delimiter[length] !== byte) length = this.#border[length - 1]!;
    return this.delimiter[length] === byte ? length + 1 : length;
  }
}
