// socketPair(): two sockets that are connected to each other in memory.
import { checkOptions } from '../base/check.js';
import { resolveSocketOptions, type SocketOptions } from '../engine/limits.js';
import type { Socket } from '../socket.js';
import { fromDuplex } from '../streams/from-duplex.js';
import { checkFaults, type NetworkFaults } from './faults.js';
import { duplexPair } from './memory-duplex.js';

/** Options of {@link socketPair}. Each direction counts its bytes separately. */
export interface SocketPairOptions extends SocketOptions, NetworkFaults {}

/**
 * Returns two open sockets that are connected to each other in memory. They run the real engine, without the operating
 * system. Neither has an address.
 *
 * Everything runs on `scheduler`, and nothing on Node's own event loop. With a `VirtualTimeScheduler`, one `flush()`
 * runs the whole conversation with its timeouts, the same way every time. Inside `TestScheduler.run()` you do not need
 * to pass a scheduler.
 *
 * Without a scheduler, the pair follows the fake timers of Vitest, Jest and sinon, and from Node 22 on those of
 * `node:test`. Let them replace `setInterval`, `clearInterval` and `Date`, as they do by default. Each turn of the pair
 * takes a millisecond of fake time. `node:test` sets its clock to the end of a tick before it runs the timers in it, so
 * tick a millisecond at a time. Connections over the network do not wait for fake timers; their time limits do.
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
 * @param options The options of both sockets, and the faults of both directions.
 * @param secondOptions Options of the second socket that differ. What is left out is that of `options`.
 * @returns The two sockets.
 * @throws At the call: TypeError or RangeError for an option with an invalid value; TypeError for more than one of
 * `limitData`, `timeout` and `resetPeer`.
 * @throws As a notification: the errors of every socket.
 *
 * @example
 * ```ts
 * import { data, lines } from '@rxsock/core';
 * import { socketPair } from '@rxsock/core/testing';
 * import { VirtualTimeScheduler } from 'rxjs';
 *
 * const scheduler = new VirtualTimeScheduler();
 * const [client, server] = socketPair({ latency: 50, slicer: { averageSize: 1 }, scheduler });
 * server.pipe(data(), lines()).subscribe((line) => console.log(scheduler.now(), line)); // 50 'hello'
 * client.next('hello\n');
 * client.complete();
 * scheduler.flush();
 * ```
 */
export function socketPair(options: SocketPairOptions = {}, secondOptions: SocketOptions = {}): [Socket, Socket] {
  checkOptions(secondOptions, '{ highWaterMark: 1024 }');
  const optionsOfSecond = { ...options, ...withoutUndefined(secondOptions) };
  const { highWaterMark, scheduler } = resolveSocketOptions(options);
  const second = resolveSocketOptions(optionsOfSecond);
  checkFaults(options);
  const [a, b] = duplexPair({
    scheduler,
    windows: [highWaterMark, second.highWaterMark],
    faults: [options, options],
    connectionNumber: 0,
  });
  return [fromDuplex(a, options), fromDuplex(b, optionsOfSecond)];
}

function withoutUndefined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
