// The checksum of IP, TCP and UDP: the complement of the sum of all 16-bit words, where a carry is added again.
import { endianness } from 'node:os';

const IS_LITTLE_ENDIAN = endianness() === 'LE';

/**
 * Returns the sum of bytes that lie in `words`. The sum is the same for any size of the words, and swapping the bytes
 * of the result is as good as swapping those of every word (RFC 1071). So four bytes at a time are added.
 * @param start The first word.
 * @param end The word after the last one.
 */
export function sumOfWords(words: Uint32Array, start: number, end: number): number {
  let sum = 0;
  for (let index = start; index < end; index++) sum += words[index] as number;
  const folded = fold((sum % 2 ** 32) + Math.floor(sum / 2 ** 32));
  return IS_LITTLE_ENDIAN ? ((folded & 0xff) << 8) | (folded >> 8) : folded;
}

/** Returns the sum of bytes, for the few of a header. */
export function sumOfBytes(bytes: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index++) sum += (bytes[index] as number) << (index % 2 === 0 ? 8 : 0);
  return sum;
}

/** Returns the checksum for a sum. */
export function checksumOf(sum: number): number {
  return ~fold(sum) & 0xffff;
}

/** Adds the carries, until 16 bits are left. */
function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return folded;
}
