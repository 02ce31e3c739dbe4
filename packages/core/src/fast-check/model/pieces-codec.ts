// A codec whose frames are pieces of at most seven bytes, so that every input is valid and every chunk is cut.
import type { Codec } from '../../framing/codec.js';

const LONGEST = 7;

export const piecesCodec: Pick<Codec<Buffer>, 'decoder'> = {
  decoder() {
    let waiting: Buffer = Buffer.alloc(0);
    return {
      push: (chunk) => {
        waiting = Buffer.concat([waiting, chunk]);
      },
      next: () => {
        if (waiting.length === 0) return undefined;
        const piece = Buffer.from(waiting.subarray(0, LONGEST));
        waiting = waiting.subarray(LONGEST);
        return piece;
      },
      end: () => {},
      rest: () => Buffer.from(waiting),
    };
  },
};
