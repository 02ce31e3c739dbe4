// writeTo(): the writing half of a pipeline.
import { Observable, type OperatorFunction } from 'rxjs';
import { SocketError } from '../base/errors.js';
import { Brake, FlowSet } from '../flow/flow.js';
import { FlowSubscriber } from '../flow/flowable.js';
import type { Chunk } from '../framing/codec.js';
import { afterComplete, connectionOf, type Socket, toBytes } from '../socket.js';
import { watchOrFail } from './watch.js';

/** Options of {@link writeTo}, {@link through} and their like. */
export interface EndOptions {
  /** Whether the write side is completed (FIN) when the source completes. @defaultValue `true` */
  readonly end?: boolean;
}

/** How far a transfer is. */
export interface WriteProgress {
  /** Bytes of this transfer handed to the kernel so far. */
  readonly bytesSent: number;
}

/**
 * Writes its source into the socket and emits progress. Does not read from it.
 *
 * Half-close: when the source completes, so does the write side, and this once FIN is out; with `end: false` once all is
 * handed to the kernel. Where the source fails or is unsubscribed before it completed, the connection is aborted, so that
 * the peer cannot take a part for the whole; who calls the socket's own `complete()` or `close()` meanwhile does send FIN.
 * Backpressure: holds its sources from `next() === false` to `drain`; a source that cannot be held fills at most
 * `maxWriteBuffer`.
 *
 * @throws the {@link SocketError} that broke the write side, as a notification; `ERR_STREAM_WRITE_AFTER_END` for a chunk
 * that comes after `complete()`, or after the peer's FIN where that completes our side too.
 *
 * @example
 * ```ts
 * import { connect, flowFrom, writeTo } from '@rxsock/core';
 * import { createReadStream } from 'node:fs';
 *
 * flowFrom(createReadStream('big.log')).pipe(writeTo(connect({ port: 9000 }))).subscribe(console.log);
 * ```
 */
export function writeTo(socket: Socket, { end = true }: EndOptions = {}): OperatorFunction<Chunk, WriteProgress> {
  return (source) =>
    new Observable((subscriber) => {
      const connection = connectionOf(socket);
      const { writeSide } = connection;
      const over = connection.beginWrite();
      const upstream = new FlowSet();
      const brake = new Brake(upstream, 'writeTo');
      let total = 0;
      let sent = 0;
      let whole = false;
      let aborted = false;

      const progress = () => {
        const now = Math.max(sent, total - writeSide.pending);
        if (now === sent) return;
        sent = now;
        subscriber.next({ bytesSent: sent });
      };
      const goOn = () => {
        progress();
        brake.off();
      };
      const done = () => {
        progress();
        subscriber.complete();
      };
      const gone = () => {
        const options = { code: 'ERR_STREAM_PREMATURE_CLOSE', phase: 'write' } as const;
        subscriber.error(new SocketError('The socket closed before everything was written to it', options));
      };

      const fail = (error: unknown) => {
        if (aborted) return;
        aborted = true;
        subscriber.error(error);
      };
      const unwatch = writeSide.onBroken(fail);
      subscriber.add(writeSide.onProgress(progress));
      subscriber.add(watchOrFail(socket, 'drain').subscribe({ next: goOn, error: fail, complete: gone }));
      subscriber.add(() => {
        unwatch();
        if (!whole && !aborted) connection.cut(new Error('the transfer was cut before it was complete'));
        over();
      });
      if (subscriber.closed) return;
      source.subscribe(
        new FlowSubscriber<Chunk>(
          subscriber as never,
          {
            next: (chunk) => {
              const bytes = toBytes(chunk);
              if (writeSide.state !== 'open') throw afterComplete(socket);
              total += bytes.length;
              if (!socket.next(bytes)) brake.on();
              progress();
            },
            error: (error) => {
              aborted = true;
              subscriber.error(error); // before the abort that follows from it
              connection.cut(error);
            },
            complete: () => {
              whole = true;
              if (end) {
                subscriber.add(watchOrFail(socket, 'finish').subscribe(done));
                socket.complete();
              } else {
                writeSide.flushed().then(done, fail);
              }
            },
          },
          upstream,
        ),
      );
    });
}
