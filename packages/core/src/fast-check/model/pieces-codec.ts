// A codec whose frames are pieces of the input, so that every input is valid and every chunk is cut: short ones at
// first, which a consumer that is stuck can count, then long ones, which cost little.
import type { Codec } from '../../framing/codec.js';

/** The length of a short piece, in bytes. */
export const SHORT = 7;
const SHORT_PIECES = 32;
const LONG = 2000;

export const piecesCodec: Pick<Codec<Buffer>, 'decoder'> = {
  decoder() {
    let waiting: Buffer = Buffer.alloc(0);
    let pieces = 0;
    return {
      push: (chunk) => {
        waiting = Buffer.concat([waiting, chunk]);
      },
      next: () => {
        if (waiting.length === 0) return undefined;
        const length = pieces++ < SHORT_PIECES ? SHORT : LONG;
        const piece = Buffer.from(waiting.subarray(0, length));
        waiting = waiting.subarray(length);
        return piece;
      },
      end: () => {},
      rest: () => Buffer.from(waiting),
    };
  },
};
