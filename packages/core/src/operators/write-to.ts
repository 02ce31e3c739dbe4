// writeTo(): the writing half of a pipeline.
import { Observable, type OperatorFunction } from 'rxjs';
import { type Chunk, toBytes } from '../base/bytes.js';
import { checkBoolean, checkOptions } from '../base/check.js';
import { FlowSet } from '../flow/flow-set.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { Brake, NEXT_TURN } from '../flow/holds.js';
import { controlOf, type Socket } from '../socket.js';
import { type EndOptions, WholeWrite, type WriteProgress } from '../transfer/whole-write.js';

/**
 * Writes its source to the socket and emits the progress. It does not read from the socket.
 *
 * **Half-close**: when the source completes, the write side completes too, and the result completes when FIN was sent;
 * with `end: false`, when everything was handed to the kernel. If the source fails, or you unsubscribe before it has
 * completed, the connection is aborted, so that the peer cannot mistake a part for the whole. The socket's own
 * `complete()` and `close()` still send FIN in the middle of a transfer.
 *
 * **Backpressure**: holds its sources from the moment the socket's `next()` returns `false` until `drain`. A source
 * that cannot be held fills at most `maxWriteBuffer`.
 *
 * @param options `end`: whether FIN is sent after the last byte. Default: `true`.
 * @throws At the call: TypeError for something that is not a socket, or for an invalid option.
 * @throws As a notification: what the socket fails with; {@link SocketError} `ERR_STREAM_WRITE_AFTER_END` for a chunk
 * after `complete()`, or after the peer's FIN if that completes our side; `ERR_STREAM_PREMATURE_CLOSE` if the socket
 * closes before everything was written; TypeError for a chunk that is neither a string nor a `Uint8Array`; what the
 * source fails with.
 *
 * @example
 * ```ts
 * import { connect, flowFrom, writeTo } from '@rxsock/core';
 * import { createReadStream } from 'node:fs';
 *
 * flowFrom(createReadStream('big.log')).pipe(writeTo(connect({ port: 9000 }))).subscribe(console.log);
 * ```
 */
export function writeTo(socket: Socket, options: EndOptions = {}): OperatorFunction<Chunk, WriteProgress> {
  const control = controlOf(socket);
  checkOptions(options, '{ end: false }');
  const { end = true } = options;
  checkBoolean('end', end);
  return (source) =>
    new Observable((subscriber) => {
      const upstream = new FlowSet();
      const brake = new Brake(upstream, () => (control.waitsForTurn ? NEXT_TURN : 'writeTo'));
      let emitted = 0;
      const emitProgress = (bytesSent: number) => {
        if (bytesSent === emitted) return;
        emitted = bytesSent;
        subscriber.next({ bytesSent });
      };
      const write = new WholeWrite(socket, {
        failed: (error) => subscriber.error(error),
        progressed: emitProgress,
        drained: (bytesSent) => {
          emitProgress(bytesSent);
          brake.off();
        },
      });
      subscriber.add(() => write.close());
      if (subscriber.closed) return;
      source.subscribe(
        new FlowSubscriber<Chunk>(
          subscriber as never,
          {
            next: (chunk) => {
              if (!write.write(toBytes(chunk))) brake.on();
              emitProgress(write.bytesSent);
            },
            error: (error) => write.cut(error, () => subscriber.error(error)),
            complete: () =>
              write.finish(end, () => {
                emitProgress(write.bytesSent);
                subscriber.complete();
              }),
          },
          upstream,
        ),
      );
    });
}
