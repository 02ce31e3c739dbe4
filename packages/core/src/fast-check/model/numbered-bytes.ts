// The bytes that the two ends of a modelled connection send. Byte number `i` of each direction is known, so that a
// receiver sees at once what is lost, doubled or out of order.

/** Which end sends. The two directions differ, so that bytes that come back by mistake are noticed too. */
export type Sender = 'near' | 'far';

/** A prime, so that no usual size of a buffer is a multiple of the period. */
const PERIOD = 65_521;

const tables = { near: makeTable(1), far: makeTable(2) };

/**
 * Returns the bytes that {@link socketModel} sends in one direction: `length` bytes, from byte number `from` on. A
 * {@link FarEnd} of your own compares with them what it receives from `'near'`. They repeat after 65,521 bytes, which is
 * a prime number, so that a part that is lost or comes twice moves the rest.
 *
 * @example
 * ```ts
 * import { numberedBytes } from '@rxsock/core/fast-check';
 *
 * const isRight = (from: number, bytes: Buffer) => bytes.equals(numberedBytes('near', from, bytes.length));
 * ```
 */
export function numberedBytes(sender: Sender, from: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; ) {
    const start = (from + at) % PERIOD;
    at += tables[sender].copy(bytes, at, start, Math.min(PERIOD, start + length - at));
  }
  return bytes;
}

/** Returns the index of the first byte that is not what it should be; `undefined` if all are right. */
export function firstMismatch(sender: Sender, from: number, bytes: Uint8Array): number | undefined {
  const expected = numberedBytes(sender, from, bytes.length);
  if (Buffer.compare(expected, bytes) === 0) return undefined;
  return expected.findIndex((byte, index) => byte !== bytes[index]);
}

function makeTable(seed: number): Buffer {
  const table = Buffer.allocUnsafe(PERIOD);
  let state = seed;
  for (let at = 0; at < PERIOD; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    table[at] = state >>> 16;
  }
  return table;
}
