// Reads a Node stream to its end.
import { once } from 'node:events';
import type { Duplex } from 'node:stream';

/** Returns all of it as text, and leaves the stream open: a `for await` loop would destroy it. */
export async function allOf(stream: Duplex): Promise<string> {
  let text = '';
  stream.on('data', (bytes: Buffer) => {
    text += bytes;
  });
  await once(stream, 'end');
  return text;
}
