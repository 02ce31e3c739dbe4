// One exchange of ConnectionPool.use(): it releases the connection when it is complete, and aborts it otherwise.
import { from, Observable, type ObservableInput, Subscription } from 'rxjs';
import { formatEndpoint } from '../base/endpoint.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { controlOf, type Socket } from '../socket.js';
import { watch } from '../transfer/watch.js';
import { PoolError } from './errors.js';

/** @param acquired Emits a socket, and releases it when it is unsubscribed. */
export function exchange<R>(
  acquired: Observable<Socket>,
  project: (socket: Socket) => ObservableInput<R>,
): Observable<R> {
  return new Observable((subscriber) => {
    /** The socket, while the exchange is not complete. */
    let socket: Socket | undefined;
    // Unsubscribed at the end of the exchange. Aborts the socket first if the exchange is not complete, and then
    // unsubscribes from the answer and from the pool.
    const lifetime = new Subscription(() => socket?.error(new Error('the exchange was not complete')));
    // One microtask later: a subscriber that leaves with the last value, as firstValueFrom() does, leaves before the
    // exchange can complete.
    subscriber.add(() => queueMicrotask(() => lifetime.unsubscribe()));
    // Unsubscribes `inner` together with the exchange, and not earlier, together with its destination.
    const endWithExchange = <T>(inner: FlowSubscriber<T>) => {
      subscriber.remove(inner);
      lifetime.add(inner);
      return inner;
    };
    const begin = (opened: Socket) => {
      if (subscriber.closed) return;
      socket = opened;
      const hungUp = watchForHangUp(opened, lifetime);
      let emitted = false;
      const results = new FlowSubscriber<R>(subscriber as never, {
        next: (result) => {
          emitted = true;
          subscriber.next(result);
        },
        complete: () => {
          socket = undefined;
          lifetime.unsubscribe();
          if (!emitted && hungUp()) subscriber.error(hangUpError(opened));
          else subscriber.complete();
        },
      });
      from(project(opened)).subscribe(endWithExchange(results));
    };
    acquired.subscribe(endWithExchange(new FlowSubscriber<Socket>(subscriber as never, { next: begin })));
  });
}

/**
 * Watches a socket until `lifetime` is unsubscribed.
 * @returns A function that returns `true` if the peer ended the connection before this side did.
 */
function watchForHangUp(socket: Socket, lifetime: Subscription): () => boolean {
  const control = controlOf(socket);
  let hungUp = false;
  // Watchers are notified before readers, so this is known when the exchange completes.
  lifetime.add(
    watch(socket, 'end').subscribe({
      next: () => {
        hungUp = control.writeSide.state === 'open';
      },
      error: () => {}, // reported by the exchange
    }),
  );
  return () => hungUp;
}

function hangUpError({ local, remote }: Socket): PoolError {
  const peer = remote ? `The peer at ${formatEndpoint(remote)}` : 'The peer';
  const message =
    `${peer} ended the connection before the exchange emitted anything, perhaps before it began: ` +
    'use retry(1) if asking twice does no harm, or give the pool a validate option';
  return new PoolError(message, { code: 'ERR_POOL_HANGUP', phase: 'read', local, remote });
}
