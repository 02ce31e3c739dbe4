// relay(): two sockets joined, both directions.
import { catchError, concat, ignoreElements, NEVER, Observable } from 'rxjs';
import { connectionOf, type Socket } from '../socket.js';
import { data } from './data.js';
import { writeTo } from './write-to.js';

/**
 * Passes everything from each socket to the other, and emits nothing.
 *
 * Half-close: each direction ends by itself, and its FIN is passed on; completes when both have. An error on one side
 * aborts the other, but what a side has answered before it stopped listening is passed on first. Leaving before the end
 * aborts both. Backpressure: each direction holds the socket it reads from.
 *
 * @example
 * ```ts
 * import { connect, listen, relay, serve } from '@rxsock/core';
 *
 * listen({ port: 8080 }).pipe(serve((client) => relay(client, connect({ port: 80 })))).subscribe();
 * ```
 */
export function relay(a: Socket, b: Socket): Observable<never> {
  // Throws here for what is none.
  for (const socket of [a, b]) connectionOf(socket);
  return new Observable((subscriber) => {
    let ended = 0;
    let broken: { readonly error: unknown } | undefined;
    const pass = (from: Socket, to: Socket): Observable<never> =>
      from.pipe(
        data(),
        writeTo(to),
        ignoreElements(),
        catchError((error) => {
          if (broken || ended > 0 || error !== connectionOf(to).writeSide.error) throw error;
          // It listens no more, but may have answered: the answer is passed on first, while what comes is dropped.
          broken = { error };
          return concat(from.pipe(data(), ignoreElements()), NEVER);
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
    subscriber.add(pass(a, b).subscribe(observer));
    subscriber.add(pass(b, a).subscribe(observer));
  });
}
