// The writes that wait for a connection, in order.
import { Queue } from '../base/queue.js';

/** Settles the promise of a `write()`. */
export interface WriteCallbacks {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One write. */
export interface PendingWrite {
  readonly bytes: Uint8Array;
  /** `undefined` for `next()`: nobody is notified of the result. */
  readonly callbacks: WriteCallbacks | undefined;
}

export class PendingWrites {
  /** How many bytes wait. */
  bytes = 0;
  readonly #queue = new Queue<PendingWrite>();

  get empty(): boolean {
    return this.#queue.length === 0;
  }

  push(write: PendingWrite): void {
    this.#queue.push(write);
    this.bytes += write.bytes.length;
  }

  shift(): PendingWrite | undefined {
    const write = this.#queue.shift();
    this.bytes -= write?.bytes.length ?? 0;
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
}
