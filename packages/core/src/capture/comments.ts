// The comments at packets.

/** The longest comment, in bytes. */
const MAX_LENGTH = 2048;
/** The room that is kept for the packet with which a file introduces a connection. */
export const INTRODUCTION_LENGTH: number = MAX_LENGTH + 256;

/** Returns a comment with `text`, and with what was left out before. `undefined` if there is nothing to say. */
export function commentOf(text: string | undefined, missed?: { packets: number; bytes: number }): Buffer | undefined {
  const lines = text === undefined ? [] : [text];
  if (missed?.packets) lines.unshift(`left out before this packet: ${missed.packets} packets, ${missed.bytes} bytes`);
  if (lines.length === 0) return undefined;
  const bytes = Buffer.from(lines.join('\n'));
  if (bytes.length <= MAX_LENGTH) return bytes;
  // A character is not cut.
  let end = MAX_LENGTH;
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
