// Reads and writes the length field of a frame: an unsigned integer or a varint.
import { FrameError } from '../base/errors.js';

/**
 * The width of a length field in bytes, or `'varint'`: seven bits per byte, the lowest bits first, as in Protocol
 * Buffers.
 *
 * @see https://protobuf.dev/programming-guides/encoding/#varints
 */
export type LengthField = 1 | 2 | 3 | 4 | 8 | 'varint';

/** Which byte of an integer comes first: the most significant (`'big'`) or the least significant (`'little'`). */
export type ByteOrder = 'big' | 'little';

/** How many bytes a varint of 64 bits takes. */
const MAX_VARINT_LENGTH = 10;

const UINT32 = 2 ** 32;

/**
 * Reads an unsigned integer of `width` bytes. A value of eight bytes may not be exact, but then it is above the safe
 * integers.
 */
export function readUnsigned(bytes: Buffer, offset: number, width: number, byteOrder: ByteOrder): number {
  const big = byteOrder === 'big';
  if (width < 8) return big ? bytes.readUIntBE(offset, width) : bytes.readUIntLE(offset, width);
  const first = big ? bytes.readUInt32BE(offset) : bytes.readUInt32LE(offset);
  const second = big ? bytes.readUInt32BE(offset + 4) : bytes.readUInt32LE(offset + 4);
  return big ? first * UINT32 + second : second * UINT32 + first;
}

/** Writes an unsigned integer of `width` bytes. `value` must be a safe integer that fits. */
export function writeUnsigned(bytes: Buffer, offset: number, width: number, byteOrder: ByteOrder, value: number): void {
  const big = byteOrder === 'big';
  if (width < 8) {
    if (big) bytes.writeUIntBE(value, offset, width);
    else bytes.writeUIntLE(value, offset, width);
    return;
  }
  const high = Math.floor(value / UINT32);
  const low = value % UINT32;
  if (big) bytes.writeUInt32BE(high, offset);
  else bytes.writeUInt32LE(low, offset);
  if (big) bytes.writeUInt32BE(low, offset + 4);
  else bytes.writeUInt32LE(high, offset + 4);
}

/** Returns the largest safe integer that the field can hold. */
export function maxFieldValue(field: LengthField): number {
  return field === 'varint' || field === 8 ? Number.MAX_SAFE_INTEGER : 2 ** (8 * field) - 1;
}

/** Reads a varint byte by byte. Above the safe integers its value may not be exact. */
export class VarintReader {
  /** The value of the bytes so far. */
  value = 0;
  /** How many bytes were read. */
  length = 0;

  /**
   * Reads the next byte. Returns `true` if it was the last one of the varint.
   *
   * @throws {@link FrameError} (`ERR_FRAME_MALFORMED`) if the varint goes on after {@link MAX_VARINT_LENGTH} bytes.
   */
  readByte(byte: number): boolean {
    this.value += (byte & 0x7f) * 2 ** (7 * this.length);
    this.length++;
    if (byte < 0x80) return true;
    if (this.length < MAX_VARINT_LENGTH) return false;
    throw new FrameError(
      `The length of a frame is a varint of more than ${MAX_VARINT_LENGTH} bytes: check what the peer sends`,
    );
  }

  /** Begins the next varint. */
  reset(): void {
    this.value = 0;
    this.length = 0;
  }
}

/** Returns the shortest varint of a safe integer. */
export function encodeVarint(value: number): Buffer {
  const bytes: number[] = [];
  let remaining = value;
  for (; remaining > 0x7f; remaining = Math.floor(remaining / 0x80)) bytes.push((remaining % 0x80) | 0x80);
  bytes.push(remaining);
  return Buffer.from(bytes);
}
