// Finds a delimiter in a sequence of chunks and looks at each byte once.

/**
 * Searches chunk by chunk. If a chunk ends with the beginning of a delimiter, the search remembers only its length and
 * continues in the next chunk (the algorithm of Knuth, Morris and Pratt). Everything else is left to the native search.
 */
export class DelimiterSearch {
  readonly delimiter: Buffer;
  /** How many of the last searched bytes may be the beginning of a delimiter. */
  matchedLength = 0;
  /**
   * For each prefix of the delimiter: the length of its longest proper prefix that is also its suffix. After a mismatch
   * the search continues there.
   */
  readonly #borders: Uint32Array;

  constructor(delimiter: Buffer) {
    this.delimiter = delimiter;
    this.#borders = new Uint32Array(delimiter.length);
    for (let i = 1, length = 0; i < delimiter.length; i++) {
      length = this.#matchByte(length, delimiter[i]!);
      this.#borders[i] = length;
    }
  }

  /**
   * Returns the index after the first delimiter whose last byte is at `from` or later. Returns -1 if there is none: the
   * search then continues at the beginning of the next chunk.
   */
  find(chunk: Buffer, from: number): number {
    const { delimiter } = this;
    let position = this.#matchBytes(chunk, from, true);
    if (this.matchedLength === delimiter.length) return this.#found(position);
    if (this.matchedLength > 0) return -1;
    const index = delimiter.length === 1 ? chunk.indexOf(delimiter[0]!, position) : chunk.indexOf(delimiter, position);
    if (index >= 0) return this.#found(index + delimiter.length);
    position = Math.max(position, chunk.length - delimiter.length + 1);
    this.#matchBytes(chunk, position, false);
    return -1;
  }

  #found(end: number): number {
    this.matchedLength = 0;
    return end;
  }

  /**
   * Matches byte by byte until the delimiter is complete or the chunk ends. With `onlyPartial` it also stops as soon as
   * the last bytes are not the beginning of a delimiter. Returns the index after the last byte that it looked at.
   */
  #matchBytes(chunk: Buffer, from: number, onlyPartial: boolean): number {
    let position = from;
    while (
      position < chunk.length &&
      this.matchedLength < this.delimiter.length &&
      !(onlyPartial && this.matchedLength === 0)
    ) {
      this.matchedLength = this.#matchByte(this.matchedLength, chunk[position++]!);
    }
    return position;
  }

  /** Returns how much of a delimiter is matched after one more byte. */
  #matchByte(matchedLength: number, byte: number): number {
    let length = matchedLength;
    while (length > 0 && this.delimiter[length] !== byte) length = this.#borders[length - 1]!;
    return this.delimiter[length] === byte ? length + 1 : length;
  }
}
