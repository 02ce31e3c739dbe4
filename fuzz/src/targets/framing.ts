// The decoders. The first byte of an input chooses the options, the second the cuts, and the rest is decoded.
import {
  type Codec,
  delimitedCodec,
  fixedLengthCodec,
  jsonLinesCodec,
  type LengthField,
  lengthPrefixedCodec,
  linesCodec,
  netstringsCodec,
} from '@rxsock/core';
import { checkDecoder } from '../differential.js';
import type { Target } from '../target.js';

const TRAILING = ['emit', 'drop', 'error'] as const;
const OVERSIZE = ['error', 'discard'] as const;
const LENGTHS = [1, 7, 64, 70_000];
const FIELDS: readonly LengthField[] = [1, 2, 3, 4, 8, 'varint'];
const DELIMITERS = ['\n', '\0', '\r\n\r\n', 'aab', 'abab', 'aa'];

/** Takes choices out of one byte. */
class Choices {
  #left: number;

  constructor(byte: number) {
    this.#left = byte;
  }

  of<T>(list: readonly T[]): T {
    const chosen = list[this.#left % list.length] as T;
    this.#left = Math.floor(this.#left / list.length);
    return chosen;
  }
}

function target(codecOf: (choices: Choices) => Codec<unknown>): Target {
  return {
    fuzz(input) {
      const [options = 0, cut = 0] = input;
      checkDecoder(codecOf(new Choices(options)), input.subarray(2), cut);
    },
  };
}

export const lines = target(
  (choose) =>
    linesCodec({
      delimiter: choose.of(['\n', '\r\n']),
      encoding: choose.of(['utf8', 'latin1']),
      trailing: choose.of(TRAILING),
      oversize: choose.of(OVERSIZE),
      maxLength: choose.of(LENGTHS),
    }) as Codec<unknown>,
);

export const delimited = target(
  (choose) =>
    delimitedCodec(choose.of(DELIMITERS), {
      trailing: choose.of(TRAILING),
      oversize: choose.of(OVERSIZE),
      maxLength: choose.of(LENGTHS),
    }) as Codec<unknown>,
);

export const lengthPrefixed = target(
  (choose) =>
    lengthPrefixedCodec({
      lengthField: choose.of(FIELDS),
      byteOrder: choose.of(['big', 'little']),
      offset: choose.of([0, 3]),
      adjustment: choose.of([0, -4, 2]),
      maxLength: choose.of([2 ** 24, 20]),
    }) as Codec<unknown>,
);

export const fixedLength = target((choose) => fixedLengthCodec(choose.of([1, 2, 3, 16, 300])) as Codec<unknown>);

export const netstrings = target(
  (choose) => netstringsCodec({ maxLength: choose.of([2 ** 24, 10, 1]) }) as Codec<unknown>,
);

export const jsonLines = target((choose) =>
  jsonLinesCodec({
    blankLines: choose.of(['skip', 'error']),
    trailing: choose.of(TRAILING),
    oversize: choose.of(OVERSIZE),
    maxLength: choose.of(LENGTHS),
  }),
);
