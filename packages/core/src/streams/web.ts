// Web Streams: an Observable as a ReadableStream, a socket as a WritableStream.
import { ReadableStream, WritableStream, type WritableStreamDefaultController } from 'node:stream/web';
import type { Observable } from 'rxjs';
import { type Chunk, toBytes } from '../base/bytes.js';
import { iterate } from '../flow/iterate.js';
import { controlOf, type Socket } from '../socket.js';
import { WholeWrite } from '../transfer/whole-write.js';

/**
 * Converts an Observable to a Web `ReadableStream` of its values. The first read subscribes. Cancelling the stream
 * unsubscribes.
 *
 * **Half-close**: closes when the source completes. `socket.pipe(data())` completes at the peer's FIN.
 *
 * **Backpressure**: the sources are held while nobody reads.
 *
 * @throws As a rejection of a read: what the source fails with; {@link BackpressureOverflowError}
 * (`ERR_BACKPRESSURE_OVERFLOW`) if 65,536 values wait and the source cannot be held.
 * @see https://streams.spec.whatwg.org/#rs-class
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
  let values: AsyncIterableIterator<T>;
  return new ReadableStream<T>(
    {
      start(controller) {
        // A stream that nobody reads does not pull, so it would not learn that this side has aborted the source.
        values = iterate(source, 0, (error) => controller.error(error));
      },
      async pull(controller) {
        const { done, value } = await values.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await values.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * The write side of a socket as a Web `WritableStream`. Dials if nothing has dialled yet, and keeps the socket open
 * without reading it.
 *
 * **Half-close**: `close()` sends FIN after everything that was written, and resolves when FIN was sent. `abort()`
 * aborts the connection, so that the peer cannot mistake a part for the whole, and so does a write that is refused.
 *
 * **Backpressure**: a write resolves when the kernel has accepted the bytes.
 *
 * `abort()` does not wait for the write in progress. `pipeTo()` does, before it aborts for its own `signal` or for an error
 * of its source: give that signal to the socket too.
 *
 * @throws At the call: TypeError for something that is not a socket.
 * @throws As a rejection of a write or of `close()`: what the socket fails with; {@link SocketError}
 * `ERR_STREAM_WRITE_AFTER_END` if our side was completed already, `ERR_STREAM_PREMATURE_CLOSE` if the socket closes
 * before everything was written; TypeError for a chunk that is neither a string nor a `Uint8Array`.
 * @see https://streams.spec.whatwg.org/#ws-class
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
  controlOf(socket);
  let write: WholeWrite;
  let rejectClose: ((error: unknown) => void) | undefined;
  const abort = (reason: unknown) => {
    socket.error(reason);
    write.close(reason);
  };
  return new WritableStream<Chunk>({
    start(controller: WritableStreamDefaultController) {
      // The method abort() below is called only when the write in progress has settled, and the peer may never take it.
      // Later, because Node 20 does not expect an error of the stream during this event.
      const { signal } = controller as WritableStreamDefaultController & { readonly signal?: AbortSignal };
      signal?.addEventListener('abort', () => queueMicrotask(() => abort(signal.reason)));
      write = new WholeWrite(socket, {
        failed: (error) => {
          controller.error(error);
          rejectClose?.(error);
        },
      });
    },
    async write(chunk) {
      try {
        write.write(toBytes(chunk));
      } catch (error) {
        // The stream fails without a call of abort().
        write.close(error);
        throw error;
      }
      await write.flushed();
    },
    close: () =>
      new Promise<void>((resolve, reject) => {
        rejectClose = reject;
        write.finish(true, resolve);
      }).finally(() => write.close()),
    abort,
  });
}
