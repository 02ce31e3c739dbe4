// Watches how many bytes wait in sockets to be written.

/** How often it looks, in milliseconds. */
const INTERVAL = 50;

interface Queue {
  readonly writableLength: number;
}

export class Queues {
  /** The largest number of bytes that waited in one of them. */
  largest = 0;
  readonly #watched = new Set<Queue>();
  #timer: NodeJS.Timeout | undefined;

  /** Watches a queue. Returns a function that stops this. */
  watch(queue: Queue): () => void {
    this.#watched.add(queue);
    return () => this.#watched.delete(queue);
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), INTERVAL);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#watched.clear();
  }

  look(): void {
    for (const { writableLength } of this.#watched) this.largest = Math.max(this.largest, writableLength);
  }
}
