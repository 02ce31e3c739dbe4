// mapMessages(): a slow consumer of datagrams, which drops what it has no room for.
import { mapWithBackpressure, on } from '@rxsock/core';
import { defer, filter, map, type ObservableInput, type OperatorFunction } from 'rxjs';
import type { DatagramEvent, Message } from './events.js';
import { checkWhole } from './options.js';
import { bindingOf, DatagramSocket } from './socket.js';

/** Options of {@link mapMessages}. */
export interface MapMessagesOptions {
  /** How many projections run at a time. @defaultValue 1 */
  readonly concurrency?: number;
  /** Whether results come in the order of their messages. @defaultValue `true` */
  readonly ordered?: boolean;
  /** How many messages may wait, 1 at least. @defaultValue 1,024 */
  readonly highWaterMark?: number;
  /** What goes when one more comes. @defaultValue `'dropNewest'` */
  readonly overflow?: 'dropOldest' | 'dropNewest';
}

/**
 * Projects each message to an Observable, Promise or iterable and merges the results. Nobody can make the senders of
 * datagrams wait, so what comes when `highWaterMark` messages wait is dropped, and no flood is the end of a server;
 * straight on a {@link DatagramSocket}, the drops are counted in its report.
 *
 * Completes when the socket closes and all projections are done. Backpressure: it can itself be held, and drops meanwhile.
 *
 * @throws RangeError at the call, for numbers that mean nothing. As a notification, what a projection throws: catch in it
 * what must not be the end.
 * @see {@link mapWithBackpressure}
 * @example
 * ```ts
 * import { bind, mapMessages } from '@rxsock/udp';
 *
 * declare function lookUp(question: Buffer): Promise<Buffer>;
 * const socket = bind({ port: 5353 });
 * socket
 *   .pipe(mapMessages(async ({ data, remote }) => [{ data: await lookUp(data), remote }], { concurrency: 8 }))
 *   .subscribe(([answer]) => answer && socket.next(answer));
 * ```
 */
export function mapMessages<R>(
  project: (message: Message, index: number) => ObservableInput<R>,
  options: MapMessagesOptions = {},
): OperatorFunction<DatagramEvent, R> {
  const { highWaterMark = 1024, overflow = 'dropNewest' } = options;
  checkWhole('highWaterMark', highWaterMark, 1, Number.MAX_SAFE_INTEGER);
  // The messages wait in a queue of ours, where they are counted; what goes on is the queue, once for each that got a place.
  const run = mapWithBackpressure(
    (waiting: Message[], index) => project(waiting.shift() as Message, index), // never empty here
    { ...options, highWaterMark, overflow },
  );
  return (source) =>
    defer(() => {
      const waiting: Message[] = [];
      const takesPlace = (message: Message): boolean => {
        const full = waiting.length >= highWaterMark;
        if (full && source instanceof DatagramSocket) bindingOf(source).counts.messagesDropped++;
        if (full && overflow === 'dropNewest') return false;
        if (full) waiting.shift();
        waiting.push(message);
        return !full;
      };
      return source.pipe(
        on('message'),
        filter(takesPlace),
        map(() => waiting),
        run,
      );
    });
}
