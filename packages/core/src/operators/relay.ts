// relay(): two sockets joined, both directions.
import { ignoreElements, merge, Observable } from 'rxjs';
import type { Socket } from '../socket.js';
import { data } from './data.js';
import { writeTo } from './write-to.js';

/**
 * Passes everything from each socket to the other, and emits nothing.
 *
 * Half-close: each direction ends by itself, and its FIN is passed on; completes when both have. An error on one side
 * aborts the other; so does leaving before the end. Backpressure: each direction holds the socket it reads from.
 *
 * @example
 * ```ts
 * import { connect, listen, relay, serve } from '@rxsock/core';
 *
 * listen({ port: 8080 }).pipe(serve((client) => relay(client, connect({ port: 80 })))).subscribe();
 * ```
 */
export function relay(a: Socket, b: Socket): Observable<never> {
  return new Observable((subscriber) => {
    a.allowHalfOpen = true;
    b.allowHalfOpen = true;
    return merge(a.pipe(data(), writeTo(b)), b.pipe(data(), writeTo(a)))
      .pipe(ignoreElements())
      .subscribe(subscriber);
  });
}
