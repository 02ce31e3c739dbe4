// The forms that a length takes on the wire, read and written.
import { FrameError } from '../base/errors.js';

/** The width of the length field in bytes, or `'varint'`: seven bits a byte, lowest first, as in Protocol Buffers. */
export type LengthField = 1 | 2 | 3 | 4 | 8 | 'varint';

export type ByteOrder = 'big' | 'little';

/** The most bytes that 64 bits take as a varint. */
export const VARINT_BYTES = 10;

const UINT32 = 2 ** 32;

/** An unsigned integer of `width` bytes. Eight of them may give a number that is not exact, but then it is no safe one. */
export function readUnsigned(bytes: Buffer, at: number, width: number, byteOrder: ByteOrder): number {
  const big = byteOrder === 'big';
  if (width < 8) return big ? bytes.readUIntBE(at, width) : bytes.readUIntLE(at, width);
  const first = big ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
  const second = big ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4);
  return big ? first * UINT32 + second : second * UINT32 + first;
}

/** Writes a safe integer that fits. */
export function writeUnsigned(bytes: Buffer, at: number, width: number, byteOrder: ByteOrder, value: number): void {
  const big = byteOrder === 'big';
  if (width < 8) {
    if (big) bytes.writeUIntBE(value, at, width);
    else bytes.writeUIntLE(value, at, width);
    return;
  }
  const high = Math.floor(value / UINT32);
  const low = value % UINT32;
  if (big) bytes.writeUInt32BE(high, at);
  else bytes.writeUInt32LE(low, at);
  if (big) bytes.writeUInt32BE(low, at + 4);
  else bytes.writeUInt32LE(high, at + 4);
}

/** The largest value that the field can hold and that is still a safe integer. */
export function greatest(field: LengthField): number {
  return field === 'varint' || field === 8 ? Number.MAX_SAFE_INTEGER : 2 ** (8 * field) - 1;
}

/** A varint, read byte by byte. Its value may stop being exact above the safe integers. */
export class VarintReader {
  value = 0;
  bytes = 0;

  /** Takes the next byte; tells whether it was the last. */
  take(byte: number): boolean {
    this.value += (byte & 0x7f) * 2 ** (7 * this.bytes);
    this.bytes++;
    if (byte < 0x80) return true;
    if (this.bytes < VARINT_BYTES) return false;
    throw new FrameError(`A length as varint goes on after ${VARINT_BYTES} bytes: the peer sends something else.`);
  }

  reset(): void {
    this.value = 0;
    this.bytes = 0;
  }
}

/** The shortest varint of a safe integer. */
export function varintOf(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7f; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  bytes.push(left);
  return Buffer.from(bytes);
}
