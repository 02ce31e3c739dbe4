// socketPair(): two sockets that are connected to each other in memory.
import { checkDelay } from '../base/check.js';
import { resolveSocketOptions, type SocketOptions } from '../engine/limits.js';
import type { Socket } from '../socket.js';
import { fromDuplex } from '../streams/from-duplex.js';
import { checkFaults, checkRate } from './faults.js';
import { duplexPair } from './memory-duplex.js';

/** Options of {@link socketPair}. The options of sockets apply to both. Each direction counts its bytes separately. */
export interface SocketPairOptions extends SocketOptions {
  /** How much later bytes, FINs and resets arrive, in milliseconds. @defaultValue 0 */
  readonly latency?: number | undefined;
  /** The bandwidth of each direction, in bytes per second. 0 and Infinity mean no limit. @defaultValue 0 */
  readonly bandwidth?: number | undefined;
  /**
   * Cuts the bytes into pieces of at most this many bytes. Each piece arrives in its own turn. The sizes of an
   * array are used one after another, and then from the first again.
   * @defaultValue the chunks as they were written
   */
  readonly slice?: number | readonly number[] | undefined;
  /**
   * After how many bytes the receiver gets a FIN. The bytes after them are dropped. Not together with `reset`.
   * @defaultValue never
   */
  readonly cut?: number | undefined;
  /**
   * After how many bytes both sockets get a reset. The bytes after them are dropped. Not together with `cut`.
   * @defaultValue never
   */
  readonly reset?: number | undefined;
}

/**
 * Returns two open sockets that are connected to each other in memory. They run the real engine, without the operating
 * system. Neither has an address.
 *
 * Everything runs on `scheduler`, and nothing on Node's own event loop. With a `VirtualTimeScheduler`, one `flush()`
 * runs the whole conversation with its timeouts, the same way every time. Inside `TestScheduler.run()` you do not need
 * to pass a scheduler.
 *
 * Promises (`write()`, `close()`, `reader()`, the iterator), `flowFrom` and files still need real turns of the event
 * loop. A test that uses them must wait for a real turn between two flushes, and limit each `flush()` with `maxFrames`,
 * because an unlimited flush also runs every timeout.
 *
 * **Half-close**: `complete()` of one socket is the `end` event of the other, after all bytes. If one aborts, the other
 * fails with a {@link ResetError} (`ECONNRESET`). A socket that writes to a closed one gets a `ResetError` too.
 *
 * **Backpressure**: while one socket is held, the other can write about three times `highWaterMark` before `next()`
 * returns `false`: the bytes that the held socket reads ahead, the bytes in transit, and the bytes that wait to be
 * written.
 *
 * @returns The two sockets.
 * @throws At the call: TypeError or RangeError for an option with an invalid value; TypeError for `cut` together with
 * `reset`.
 *
 * @example
 * ```ts
 * import { data, lines } from '@rxsock/core';
 * import { socketPair } from '@rxsock/core/testing';
 * import { VirtualTimeScheduler } from 'rxjs';
 *
 * const scheduler = new VirtualTimeScheduler();
 * const [client, server] = socketPair({ latency: 50, slice: 1, scheduler });
 * server.pipe(data(), lines()).subscribe((line) => console.log(scheduler.now(), line)); // 50 'hello'
 * client.next('hello\n');
 * client.complete();
 * scheduler.flush();
 * ```
 */
export function socketPair(options: SocketPairOptions = {}): [Socket, Socket] {
  const { highWaterMark, scheduler } = resolveSocketOptions(options);
  const { latency = 0, bandwidth = 0 } = options;
  checkDelay('latency', latency);
  checkRate('bandwidth', bandwidth);
  checkFaults(options);
  const [a, b] = duplexPair({ scheduler, window: Math.max(1, highWaterMark), faults: [options, options] });
  return [fromDuplex(a, options), fromDuplex(b, options)];
}
