// The promises of writes: each settles when its bytes have left, in the order of the writes.
import { type Deferred, deferred } from '../base/deferred.js';
import { promiseCost } from '../base/promise-cost.js';
import { Queue } from '../base/queue.js';

/** A promise that settles when `at` bytes, counted from the start of the connection, have left. */
interface Receipt extends Deferred {
  readonly at: number;
}

export class WriteReceipts {
  readonly #waiting = new Queue<Receipt>();

  /** What the promises that wait count towards `maxWriteBuffer`, in bytes. */
  get cost(): number {
    return promiseCost(this.#waiting.length);
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Returns a promise that settles when so many bytes have left. */
  at(bytes: number): Promise<void> {
    // Empty chunks share a promise, so that any number of them costs nothing.
    const last = this.#waiting.peekLast();
    if (last?.at === bytes) return last.promise;
    const { promise, resolve, reject } = deferred();
    this.#waiting.push({ at: bytes, promise, resolve, reject });
    return promise;
  }

  /** So many bytes have left. */
  settle(bytes: number): void {
    for (let first = this.#waiting.peek(); first && first.at <= bytes; first = this.#waiting.peek()) {
      this.#waiting.shift();
      first.resolve();
    }
  }

  /** Nothing more will leave. */
  reject(error: unknown): void {
    for (let first = this.#waiting.shift(); first; first = this.#waiting.shift()) first.reject(error);
  }
}
