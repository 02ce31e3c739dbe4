// relay(): passes bytes between two sockets, in both directions.
import { catchError, concat, ignoreElements, NEVER, Observable } from 'rxjs';
import { controlOf, type Socket } from '../socket.js';
import { writeTo } from './write-to.js';

/**
 * Passes everything from each socket to the other, and emits nothing.
 *
 * **Half-close**: each direction ends on its own, and its FIN is passed on. The relay completes when both directions
 * have ended. If one side fails, the other is aborted. If a side has stopped reading but has sent an answer before, the
 * answer is passed on first. Unsubscribing before the end aborts both sockets.
 *
 * **Backpressure**: each direction holds the socket that it reads from.
 *
 * @throws At the call: TypeError for something that is not a socket.
 * @throws As a notification: what the first failing socket fails with.
 *
 * @example
 * ```ts
 * import { connect, listen, relay, serve } from '@rxsock/core';
 *
 * listen({ port: 8080 }).pipe(serve((client) => relay(client, connect({ port: 80 })))).subscribe();
 * ```
 */
export function relay(a: Socket, b: Socket): Observable<never> {
  const [bytesOfA, bytesOfB] = [controlOf(a).bytes, controlOf(b).bytes];
  return new Observable((subscriber) => {
    if (subscriber.closed) return;
    let ended = 0;
    let broken: { readonly error: unknown } | undefined;
    const pass = (from: Observable<Buffer>, to: Socket): Observable<never> =>
      from.pipe(
        writeTo(to),
        ignoreElements(),
        catchError((error) => {
          if (broken || ended > 0 || error !== controlOf(to).writeSide.error) throw error;
          // `to` has stopped reading, but it may have answered: its answer is passed on, and what `from` sends is
          // dropped.
          broken = { error };
          return concat(from.pipe(ignoreElements()), NEVER);
        }),
      );
    const observer = {
      error: (error: unknown) => subscriber.error(broken ? broken.error : error),
      complete: () => {
        if (broken) subscriber.error(broken.error);
        else if (++ended === 2) subscriber.complete();
      },
    };
    a.allowHalfOpen = true;
    b.allowHalfOpen = true;
    subscriber.add(pass(bytesOfA, b).subscribe(observer));
    subscriber.add(pass(bytesOfB, a).subscribe(observer));
  });
}
