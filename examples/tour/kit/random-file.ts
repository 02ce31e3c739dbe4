// Creates a file of random bytes to send, and computes checksums to compare it with its copy.
import { createHash, randomFillSync } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

const MIB = 2 ** 20;

/** Creates a file of `size` random bytes. Calls `onProgress` with the bytes written so far. */
export async function makeRandomFile(path: string, size: number, onProgress: (bytes: number) => void): Promise<void> {
  const file = await open(path, 'wx');
  const chunk = Buffer.alloc(MIB);
  try {
    for (let written = 0; written < size; ) {
      const { bytesWritten } = await file.write(randomFillSync(chunk), 0, Math.min(MIB, size - written));
      written += bytesWritten;
      onProgress(written);
    }
  } finally {
    await file.close();
  }
}

/** Computes the SHA-256 of a file, or of its first `size` bytes. */
export async function sha256(path: string, size = Number.POSITIVE_INFINITY): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { end: size - 1, highWaterMark: MIB }), hash);
  return hash.digest('hex');
}
