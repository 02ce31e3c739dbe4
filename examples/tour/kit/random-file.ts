// A file of random bytes to send, and the checksum of what arrived.
import { createHash, randomFillSync } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

const MIB = 2 ** 20;

/** Writes `size` random bytes, a MiB at a time, and tells how far it is. */
export async function makeRandomFile(path: string, size: number, progress: (bytes: number) => void): Promise<void> {
  const file = await open(path, 'wx');
  const chunk = Buffer.alloc(MIB);
  try {
    for (let made = 0; made < size; ) {
      const { bytesWritten } = await file.write(randomFillSync(chunk), 0, Math.min(MIB, size - made));
      made += bytesWritten;
      progress(made);
    }
  } finally {
    await file.close();
  }
}

/** The SHA-256 of the first `size` bytes of a file, or of all of it. */
export async function sha256(path: string, size = Number.POSITIVE_INFINITY): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { end: size - 1, highWaterMark: MIB }), hash);
  return hash.digest('hex');
}
