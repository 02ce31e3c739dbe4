// Chunks that were written and wait to be handed to the Node stream. Small ones are joined, because a chunk costs about
// a hundred bytes of memory beside its own, and Node keeps another two or three hundred for each while it waits.
//
// A chunk of up to SMALL bytes waits as it is until there are RUN of them, or until they leave; then they are copied
// into one buffer. Larger chunks are never copied.

/** Up to this many bytes a copy costs less than a chunk of its own. */
const SMALL = 512;

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
      chunks.push(end - at > 1 ? Buffer.concat(added.slice(at, end)) : (added[at] as Uint8Array));
      at = Math.max(end, at + 1);
    }
    this.#unjoined = chunks.length;
  }
}

function endOfRun(chunks: readonly Uint8Array[], from: number): number {
  let end = from;
  while (end < chunks.length && (chunks[end] as Uint8Array).length <= SMALL) end++;
  return end;
}
