// Writes that wait for a connection, in order, with those who want to hear of them.
import { Queue } from '../base/queue.js';

/** Who waits for a write. */
export interface Receipt {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One write. */
export interface PendingWrite {
  readonly bytes: Uint8Array;
  readonly receipt: Receipt | undefined;
}

export class PendingWrites {
  /** Bytes that wait. */
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

  /** Drops all; answers how many bytes nobody hears of. */
  drop(error: unknown): number {
    let unheard = 0;
    for (let write = this.shift(); write; write = this.shift()) {
      if (write.receipt) write.receipt.reject(error);
      else unheard += write.bytes.length;
    }
    return unheard;
  }
}
