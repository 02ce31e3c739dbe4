// on(): the events of one type.
import { catchError, EMPTY, type Observable } from 'rxjs';
import { checkString } from '../base/check.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { operate } from '../flow/flowable.js';
import { Socket } from '../socket.js';
import { watch } from '../transfer/watch.js';

/** Refuses a type that the source does not have. There is no `error` event: errors are notifications. */
type Has<E extends { readonly type: string }, K> = K extends E['type']
  ? unknown
  : { readonly 'no event of this type': K };

/**
 * The events of one type.
 *
 * Applied to a {@link Socket}, every type except `data` only watches: it keeps the socket open and reads nothing. If
 * the socket fails, it completes without an error; {@link opened} fails with the socket. The type `data` makes the
 * socket read.
 *
 * **Half-close**: `on('end')` emits at the peer's FIN, `on('finish')` when ours was sent.
 *
 * **Backpressure**: passed through.
 *
 * @param type The `type` of the events.
 * @throws At the call: TypeError if the type is not a string or empty.
 * @throws As a notification: what the source fails with, unless the source is a socket that is only watched.
 *
 * @example
 * ```ts
 * import { connect, on } from '@rxsock/core';
 *
 * connect({ port: 80 }).pipe(on('connect')).subscribe(({ remote }) => console.log('connected to', remote));
 * ```
 */
export function on<K extends string>(
  type: K,
): <E extends { readonly type: string }>(
  source: Observable<E> & Has<E, K>,
) => Observable<Extract<E, { readonly type: K }>> {
  checkString('type', type);
  return <E extends { readonly type: string }>(source: Observable<E>) => {
    type Wanted = Extract<E, { readonly type: K }>;
    if (source instanceof Socket && type !== 'data') {
      return watch(source, type as never).pipe(catchError(() => EMPTY)) as unknown as Observable<Wanted>;
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
