// The writes that wait for a connection, in order. When many wait, small ones are joined.
import { promiseCost } from '../base/promise-cost.js';
import { Queue } from '../base/queue.js';
import { SMALL_CHUNK, SmallChunks } from '../base/small-chunks.js';

/** So many writes wait as they are, each of them apart. Then small ones are joined. */
const UNJOINED = 1024;

/** Settles the promise of a `write()`. */
export interface WriteCallbacks {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One write, or several small ones that were joined. */
export interface PendingWrite {
  bytes: Uint8Array;
  /** `undefined` for `next()`: nobody is notified of the result. */
  readonly callbacks: WriteCallbacks | undefined;
}

export class PendingWrites {
  /** How many bytes wait. */
  bytes = 0;
  readonly #queue = new Queue<PendingWrite>();
  readonly #small = new SmallChunks();
  /** The write at the end of the queue. */
  #last: PendingWrite | undefined;
  /** How many writes have a promise. */
  #promises = 0;

  get empty(): boolean {
    return this.#queue.length === 0;
  }

  /** What the writes count towards `maxWriteBuffer`, in bytes. */
  get cost(): number {
    return this.bytes + promiseCost(this.#promises);
  }

  push(write: PendingWrite): void {
    const { bytes, callbacks } = write;
    if (bytes.length === 0 && !callbacks) return;
    this.bytes += bytes.length;
    if (callbacks) this.#promises++;
    else if (bytes.length <= SMALL_CHUNK && this.#queue.length >= UNJOINED) return this.#pushSmall(bytes);
    this.#enqueue(write);
  }

  shift(): PendingWrite | undefined {
    const write = this.#queue.shift();
    if (!write) return undefined;
    this.bytes -= write.bytes.length;
    if (write.callbacks) this.#promises--;
    if (this.empty) this.#clearLast();
    return write;
  }

  /** Drops everything and rejects the promises. Returns how many dropped bytes came from `next()`. */
  drop(error: unknown): number {
    let unreported = 0;
    for (let write = this.shift(); write; write = this.shift()) {
      if (write.callbacks) write.callbacks.reject(error);
      else unreported += write.bytes.length;
    }
    return unreported;
  }

  #pushSmall(bytes: Uint8Array): void {
    const last = this.#last;
    const joins = this.#small.extends(last?.bytes, bytes);
    const copy = this.#small.append(last?.bytes, bytes);
    if (joins && last) last.bytes = copy;
    else this.#enqueue({ bytes: copy, callbacks: undefined });
  }

  #enqueue(write: PendingWrite): void {
    this.#queue.push(write);
    this.#last = write;
  }

  #clearLast(): void {
    this.#last = undefined;
    this.#small.clear();
  }
}
