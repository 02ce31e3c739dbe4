// Chunks that were written and wait to be handed to the Node stream. Small ones are joined, because a chunk costs about
// a hundred bytes of memory beside its own, and Node keeps another two or three hundred for each while it waits.
//
// A chunk of up to SMALL_CHUNK bytes waits as it is until there are RUN of them, or until they leave; then they are
// copied into one buffer. Larger chunks are never copied.
import { SMALL_CHUNK } from '../base/small-chunks.js';

/** How many chunks may wait before they are joined. */
const RUN = 1024;

const NONE: readonly Uint8Array[] = [];

export class GatheredWrites {
  /** How many bytes wait. */
  bytes = 0;
  /** `undefined` while nothing waits, which is nearly always. */
  #chunks: Uint8Array[] | undefined;
  /** The index of the first chunk that #join() has not looked at. */
  #unjoined = 0;

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.bytes += bytes.length;
    this.#chunks ??= [];
    if (this.#chunks.push(bytes) - this.#unjoined >= RUN) this.#join();
  }

  /** Removes and returns all chunks. */
  take(): readonly Uint8Array[] {
    this.#join();
    const chunks = this.#chunks ?? NONE;
    this.clear();
    return chunks;
  }

  clear(): void {
    this.bytes = 0;
    this.#chunks = undefined;
    this.#unjoined = 0;
  }

  /** Joins the runs of small chunks at the end of the queue. */
  #join(): void {
    const chunks = this.#chunks;
    if (!chunks || chunks.length - this.#unjoined < 2) return;
    const added = chunks.splice(this.#unjoined);
    for (let at = 0; at < added.length; ) {
      const end = endOfRun(added, at);
      chunks.push(end - at > 1 ? join(added.slice(at, end)) : (added[at] as Uint8Array));
      at = Math.max(end, at + 1);
    }
    this.#unjoined = chunks.length;
  }
}

function endOfRun(chunks: readonly Uint8Array[], from: number): number {
  let end = from;
  while (end < chunks.length && (chunks[end] as Uint8Array).length <= SMALL_CHUNK) end++;
  return end;
}

function join(run: readonly Uint8Array[]): Buffer {
  if (run.length < RUN) return Buffer.concat(run);
  // This piece waits. Memory of the shared pool would keep alive what the chunks themselves have there.
  const bytes = Buffer.allocUnsafeSlow(run.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of run) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
