// The bytes that scenarios send, and the check of every byte that they receive.

/** A prime near 1 MiB, so that no chunk of a usual size equals the one before it or after it. */
const PERIOD = 1_048_573;
const LONGEST = 65_536;

/** All possible chunks are slices of this. */
const pattern = makePattern();

/** Returns the bytes of a stream from `position` on, at most 64 KiB. Each `stream` has other bytes. */
export function bytesOf(stream: number, position: number, length: number): Buffer {
  const start = (stream * 7_919 + position) % PERIOD;
  return pattern.subarray(start, start + Math.min(length, LONGEST));
}

/** Checks that a stream of bytes arrives complete, once, and in order. */
export class ByteCheck {
  /** How many bytes have arrived. */
  received = 0;
  /** Whether a byte was wrong. */
  wrong = false;
  readonly #stream: number;

  constructor(stream: number) {
    this.#stream = stream;
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += LONGEST) {
      const piece = chunk.subarray(at, at + LONGEST);
      if (!bytesOf(this.#stream, this.received, piece.length).equals(piece)) this.wrong = true;
      this.received += piece.length;
    }
  }
}

/** A linear congruential generator is enough: every window of the pattern must differ from its neighbours. */
function makePattern(): Buffer {
  const bytes = Buffer.alloc(PERIOD + LONGEST);
  let state = 1;
  for (let index = 0; index < PERIOD; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  bytes.copy(bytes, PERIOD, 0, LONGEST);
  return bytes;
}
