// memoryBudget(): one bound for what many sockets keep.
import { checkSize, typeError } from '../base/check.js';
import { Budget } from './budget.js';

/** One bound for what many sockets keep. See {@link memoryBudget}. */
export interface MemoryBudget {
  /** The bound, in bytes. */
  readonly limit: number;
  /** What the sockets keep now, in bytes. */
  readonly used: number;
}

/**
 * Makes one bound for what many sockets keep. Give it to servers and sockets of any transport, as their option
 * `budget`. The limits of each socket stay in force.
 *
 * Each socket is charged the received bytes that nobody has taken yet, and the bytes that wait to be written, counted as
 * for `maxWriteBuffer`. Not charged: what your code and operators keep, what `reconnect` keeps while it has no
 * connection, what a closed socket keeps for its next reader, and UDP. What is charged does not pass the limit, except
 * by bytes that you give back with `unshift()`, and by reads of more than 64 KiB from a stream of `fromDuplex()`.
 *
 * **Half-close**: nothing changes. A FIN is not sent before everything that was written has left.
 *
 * **Backpressure**: a socket may go on while what it keeps is at most an eighth of what is free, and always while half
 * of the budget is free. So the greediest are held first, and those that keep little are served.
 *
 * - Received bytes: a socket that is held, or that nobody reads, does not read ahead. Its peer waits, and nothing is
 *   lost. Until it reads on, it cannot notice that its peer has gone.
 * - Written bytes: `next()` returns `false` earlier, and `drain` comes when the socket may go on. So the sources of
 *   `writeTo`, `through`, `relay` and `serve` are held.
 * - A chunk for which there is no room waits in the operator that writes it, and in the same way in `sendFile`,
 *   `sendFrom`, `toDuplex` and `toWritableStream`. The budget does not count it. It is at most one chunk for each of
 *   them. A chunk of more than half of the budget does not wait.
 * - `next()` and `write()` cannot wait. If their chunk does not fit, a socket fails, whoever has written the chunk: first
 *   one that wrote although `next()` had returned `false`, otherwise the one that has the most to write. If several have
 *   about as much, it is the one that has had it longest.
 *
 * Do not share a budget between a client and a server of your own that talk with each other: each may wait for what the
 * other keeps. Both sides of a `relay` may share one.
 *
 * Peers that read nothing keep what they have, and all others that have much to send may have to wait for them. Set
 * `minWriteRate` too: it gives such peers up.
 *
 * @param bytes The bound, in bytes. Infinity only counts.
 * @returns The budget. `used` is what its sockets keep now, and `limit` is the bound, both in bytes.
 * @throws At the call: TypeError or RangeError unless `bytes` is a positive integer or Infinity.
 * @throws As a notification: the socket that fails because a chunk does not fit fails with {@link MemoryBudgetError}
 * `ERR_MEMORY_BUDGET`.
 *
 * @example
 * ```ts
 * import { data, listen, memoryBudget, serve } from '@rxsock/core';
 *
 * const budget = memoryBudget(64 * 1024 * 1024);
 * listen({ port: 7, budget, minWriteRate: 240 })
 *   .pipe(serve((socket) => socket.pipe(data())))
 *   .subscribe();
 * setInterval(() => console.log(`${budget.used} of ${budget.limit} bytes`), 1000);
 * ```
 */
export function memoryBudget(bytes: number): MemoryBudget {
  return new Budget(checkSize('bytes', bytes));
}

/** Checks an option that takes a budget. */
export function checkBudget(name: string, value: unknown): asserts value is Budget {
  if (!(value instanceof Budget)) throw typeError(name, 'made by memoryBudget(64 * 1024 * 1024)', value);
}
