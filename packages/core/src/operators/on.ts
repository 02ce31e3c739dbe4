// on(): the events of one type.
import { catchError, defer, EMPTY, type Observable, tap, throwError } from 'rxjs';
import { checkString } from '../base/check.js';
import type { SocketEvent } from '../base/events.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { operate } from '../flow/flowable.js';
import type { ServerEvent } from '../server/events.js';
import { Socket } from '../socket.js';
import { watch } from '../transfer/watch.js';

/** Refuses a type that the source does not have. There is no `error` event: errors are notifications. */
type Has<E extends { readonly type: string }, K> = K extends E['type']
  ? unknown
  : { readonly 'no event of this type': K };

/** The types that an editor suggests. Any other type that the source emits is allowed too. */
type KnownType = SocketEvent['type'] | ServerEvent['type'];

/** Events that a socket emits once. A subscriber that waits for one must be notified if it will not come. */
const ONCE: ReadonlySet<string> = new Set(['connect', 'secureConnect', 'end', 'finish']);

/**
 * The events of one type.
 *
 * Applied to a {@link Socket}, every type except `data` only watches: it keeps the socket open and reads nothing. The
 * type `data` makes the socket read.
 *
 * If a watched socket fails before an event that comes once (`connect`, `secureConnect`, `end`, `finish`), the result
 * fails with the socket's error, so `firstValueFrom(socket.pipe(on('connect')))` rejects with the reason. In all
 * other cases it completes without an error, because subscribers that read receive the error.
 *
 * **Half-close**: `on('end')` emits at the peer's FIN, `on('finish')` when ours was sent.
 *
 * **Backpressure**: passed through.
 *
 * @param type The `type` of the events.
 * @throws At the call: TypeError if the type is not a string, or is empty.
 * @throws As a notification: what the source fails with, except as described above.
 *
 * @example
 * ```ts
 * import { connect, on } from '@rxsock/core';
 *
 * connect({ port: 80 })
 *   .pipe(on('connect'))
 *   .subscribe({ next: ({ remote }) => console.log('connected to', remote), error: console.error });
 * ```
 */
export function on<K extends KnownType | (string & {})>(
  type: K,
): <E extends { readonly type: string }>(
  source: Observable<E> & Has<E, K>,
) => Observable<Extract<E, { readonly type: K }>> {
  checkString('type', type);
  return <E extends { readonly type: string }>(source: Observable<E>) => {
    type Wanted = Extract<E, { readonly type: K }>;
    if (source instanceof Socket && type !== 'data') {
      return watchQuietly(source, type as never) as unknown as Observable<Wanted>;
    }
    return operate<E, Wanted>(source, (subscriber) =>
      source.subscribe(
        new FlowSubscriber<E>(subscriber as never, {
          next: (event) => {
            if (event.type === type) subscriber.next(event as Wanted);
          },
        }),
      ),
    );
  };
}

function watchQuietly<K extends Exclude<SocketEvent['type'], 'data'>>(socket: Socket, type: K) {
  return defer(() => {
    let emitted = !ONCE.has(type);
    return watch(socket, type).pipe(
      tap(() => {
        emitted = true;
      }),
      catchError((error) => (emitted ? EMPTY : throwError(() => error))),
    );
  });
}
