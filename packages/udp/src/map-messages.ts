// mapMessages(): projects datagrams slowly, and drops those that its queue has no room for.
import { mapWithBackpressure, on } from '@rxsock/core';
import { checkFunction, checkOneOf, checkOptions, checkSize, publishDatagramDrop, Queue } from '@rxsock/core/internal';
import { defer, filter, map, type Observable, type ObservableInput, type OperatorFunction } from 'rxjs';
import type { DatagramEvent, Message } from './events.js';
import { bindingOf, DatagramSocket } from './socket.js';

/** Options of {@link mapMessages}. */
export interface MapMessagesOptions {
  /** How many projections run at the same time; Infinity for no limit. @defaultValue 1 */
  readonly concurrency?: number | undefined;
  /** Whether to emit the results in the order of their messages. @defaultValue `true` */
  readonly ordered?: boolean | undefined;
  /** How many messages may wait for a projection, at least 1. @defaultValue 1,024 */
  readonly highWaterMark?: number | undefined;
  /** Which message to drop when a new one arrives and the queue is full. @defaultValue `'dropNewest'` */
  readonly overflow?: 'dropOldest' | 'dropNewest' | undefined;
}

/**
 * Projects each message to an Observable, Promise or iterable, and merges the results. When `highWaterMark` messages
 * wait, further ones are dropped, so a flood of datagrams cannot end your server or fill its memory. Applied directly
 * to a {@link DatagramSocket}, it counts the drops in the socket's report.
 *
 * Completes when the socket has closed and all projections have completed.
 *
 * **Backpressure**: a consumer can hold it. It starts no projection while it is held, and drops messages when its queue
 * is full. The senders are never held: UDP has no way to make them wait.
 *
 * @param project Returns the results for one message.
 * @param options Limits of the queue and of the projections.
 * @throws At the call: {@link TypeError} for an option of the wrong type; {@link RangeError} for a `concurrency` or a
 * `highWaterMark` out of range.
 * @throws As a notification: what `project` throws or its result fails with. Catch inside the projection what must not
 * end the pipeline. The errors of the socket pass through.
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
  checkFunction('project', project);
  checkOptions(options, '{ concurrency: 4 }');
  const { concurrency, ordered, highWaterMark = 1024, overflow = 'dropNewest' } = options;
  checkSize('highWaterMark', highWaterMark);
  checkOneOf('overflow', overflow, ['dropOldest', 'dropNewest']);
  // mapWithBackpressure() drops without counting. So the messages wait in a queue here, and each one that is added to
  // the queue passes the queue itself on as a token: the projection takes the first message from it.
  const projectNext = mapWithBackpressure(
    // There is a token for each message, so it is never empty.
    (waiting: Queue<Message>, index) => project(waiting.shift() as Message, index),
    { concurrency, ordered, highWaterMark, overflow },
  );
  return (source) =>
    defer(() => {
      const waiting = new Queue<Message>();
      /** Queues a message. Returns whether the queue grew. */
      const enqueue = (message: Message): boolean => {
        const full = waiting.length >= highWaterMark;
        if (full) countDropped(source, overflow === 'dropNewest' ? message : waiting.peek());
        if (full && overflow === 'dropNewest') return false;
        if (full) waiting.shift();
        waiting.push(message);
        return !full;
      };
      return source.pipe(
        on('message'),
        filter(enqueue),
        map(() => waiting),
        projectNext,
      );
    });
}

function countDropped(source: Observable<DatagramEvent>, message: Message | undefined): void {
  if (!(source instanceof DatagramSocket) || !message) return;
  const { traffic, socket } = bindingOf(source);
  traffic.counts.messagesDropped++;
  publishDatagramDrop(socket, 'overflow', message.remote, message.data.length);
}
