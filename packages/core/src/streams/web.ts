// Web Streams: an Observable as a ReadableStream, a socket as a WritableStream.
import { ReadableStream, WritableStream, type WritableStreamDefaultController } from 'node:stream/web';
import { type Observable, Subscription } from 'rxjs';
import type { Chunk } from '../framing/codec.js';
import { watchOrFail } from '../operators/watch.js';
import { connectionOf, type Socket } from '../socket.js';
import { toAsyncIterable } from './async-iterable.js';

/**
 * An Observable as a Web `ReadableStream` of its values. The first read subscribes; its sources are held while nobody
 * reads.
 *
 * Half-close: closes when the source completes; `socket.pipe(data())` does at the peer's FIN. What the source fails with
 * is what reading it fails with. Cancelling it unsubscribes. Backpressure: as {@link toAsyncIterable}.
 *
 * @example
 * ```ts
 * import { connect, data, toReadableStream } from '@rxsock/core';
 *
 * const stream = toReadableStream(connect({ port: 9000 }).pipe(data()));
 * for await (const text of stream.pipeThrough(new TextDecoderStream())) console.log(text);
 * ```
 */
export function toReadableStream<T>(source: Observable<T>): ReadableStream<T> {
  return ReadableStream.from(toAsyncIterable(source));
}

/**
 * The write side of a socket as a Web `WritableStream`. Dials if nobody has, and keeps the socket open without reading it.
 *
 * Half-close: `close()` sends FIN after all that was written and settles once it is out. `abort()` aborts the connection,
 * so that the peer cannot take a part for the whole. What the socket fails with is what writing fails with. Backpressure:
 * `ready` waits until the kernel has taken what was written.
 *
 * @example
 * ```ts
 * import { connect, toWritableStream } from '@rxsock/core';
 *
 * const response = await fetch('https://example.org/big.iso');
 * await response.body?.pipeTo(toWritableStream(connect({ port: 9000 })));
 * ```
 */
export function toWritableStream(socket: Socket): WritableStream<Chunk> {
  // Until it is closed or aborted.
  const watching = new Subscription(connectionOf(socket).beginWrite());
  return new WritableStream<Chunk>({
    start(controller: WritableStreamDefaultController) {
      watching.add(watchOrFail(socket, 'close').subscribe({ error: (error) => controller.error(error) }));
    },
    write: (chunk) => socket.write(chunk),
    close: () =>
      new Promise<void>((resolve, reject) => {
        watching.add(watchOrFail(socket, 'finish').subscribe({ next: () => resolve(), error: reject }));
        socket.complete();
      }).finally(() => watching.unsubscribe()),
    abort(reason) {
      socket.error(reason);
      watching.unsubscribe();
    },
  });
}
