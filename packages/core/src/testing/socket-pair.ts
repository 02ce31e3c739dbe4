// socketPair(): two sockets joined in memory.
import { resolveSocketOptions, type SocketOptions } from '../engine/limits.js';
import type { Socket } from '../socket.js';
import { fromDuplex } from '../streams/from-duplex.js';
import { checkFaults } from './line.js';
import { joinedEnds } from './line-end.js';

/** Options of {@link socketPair}. Those of sockets hold for both. */
export interface SocketPairOptions extends SocketOptions {
  /** How much later everything arrives, in milliseconds. @defaultValue 0 */
  readonly latency?: number | undefined;
  /** How much passes in each direction, in bytes per second; 0 = no limit. @defaultValue 0 */
  readonly bandwidth?: number | undefined;
  /**
   * The most bytes that arrive at a time, each piece in a turn of its own; several numbers are used in turn and over
   * again.
   * @defaultValue as it was written
   */
  readonly slice?: number | readonly number[] | undefined;
  /** After how many bytes of a direction its receiver gets a FIN instead of the rest. @defaultValue never */
  readonly cut?: number | undefined;
  /** After how many bytes of a direction both get a reset instead of the rest. @defaultValue never */
  readonly reset?: number | undefined;
}

/**
 * Two open sockets that are joined in memory: the real engine, with no system below it. Neither has an address.
 *
 * Half-close: `complete()` of one is `end` at the other, after all bytes. An abort is a {@link ResetError} (`ECONNRESET`)
 * at the other, and so is the answer to bytes for one that has closed. Backpressure: while one is held, the other has room
 * for three times `highWaterMark` before `next()` answers `false`: what the held one reads ahead, what is on its way, and
 * what waits to be written.
 *
 * Everything happens on `scheduler`, nothing on Node's own turns: with a `VirtualTimeScheduler` one `flush()` plays the
 * whole conversation, timeouts included, the same way each time. Inside `TestScheduler.run()` no scheduler need be given.
 * Only what is asynchronous by itself waits for real turns: promises (`write()`, `close()`, `reader()`, the iterator),
 * `flowFrom`, files. A test that uses them must await one between two flushes, and give `flush()` an end by `maxFrames`,
 * for a flush without end runs into every timeout.
 *
 * @throws RangeError for a number that means nothing; TypeError for `cut` together with `reset`.
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
  const { latency, bandwidth } = options;
  checkFaults(options, { latency, bandwidth });
  const [a, b] = joinedEnds({ scheduler, window: Math.max(1, highWaterMark), faults: [options, options] });
  return [fromDuplex(a, options), fromDuplex(b, options)];
}
