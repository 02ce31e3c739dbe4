// on(): the events of one type.
import type { Observable } from 'rxjs';
import { FlowSubscriber, operate } from '../flow/flowable.js';
import { Socket } from '../socket.js';
import { watch } from './watch.js';

/** Refuses a type that the source does not have. There is no `error` event: errors are notifications. */
type Has<E extends { readonly type: string }, K> = K extends E['type']
  ? unknown
  : { readonly 'no event of this type': K };

/**
 * The events of one type, typed.
 *
 * Straight on a {@link Socket}, every type but `data` only watches: it keeps the socket open and reads nothing, and it
 * completes quietly where the socket fails, for the failure has its own way out; {@link opened} fails with it. `data` makes
 * the socket read.
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
  return <E extends { readonly type: string }>(source: Observable<E>) => {
    type Wanted = Extract<E, { readonly type: K }>;
    if (source instanceof Socket && type !== 'data')
      return watch(source, type as never) as unknown as Observable<Wanted>;
    return operate<E, Wanted>(source, (subscriber) =>
      source.subscribe(
        new FlowSubscriber<E>(subscriber, {
          next: (event) => {
            if (event.type === type) subscriber.next(event as Wanted);
          },
        }),
      ),
    );
  };
}
