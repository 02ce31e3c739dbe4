// writeTo(): the writing half of a pipeline.
import { Observable, type OperatorFunction, type Subscriber } from 'rxjs';
import type { Chunk } from '../base/bytes.js';
import { checkBoolean, checkOptions } from '../base/check.js';
import { controlOf, type Socket } from '../socket.js';
import { ChunkWriter } from '../transfer/chunk-writer.js';
import type { EndOptions, WriteProgress } from '../transfer/whole-write.js';

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
  controlOf(socket);
  checkOptions(options, '{ end: false }');
  const { end = true } = options;
  checkBoolean('end', end);
  return (source) =>
    new Observable((subscriber) => {
      if (subscriber.closed) return;
      const writer = new ProgressWriter(socket, end, subscriber);
      writer.start(source);
    });
}

/** Writes to the socket, and emits the progress to its destination. */
class ProgressWriter extends ChunkWriter {
  protected readonly end: boolean;
  readonly #subscriber: Subscriber<WriteProgress>;
  #emitted = 0;

  constructor(socket: Socket, end: boolean, subscriber: Subscriber<WriteProgress>) {
    super(socket);
    this.end = end;
    this.#subscriber = subscriber;
  }

  start(source: Observable<Chunk>): void {
    this.begin();
    this.#subscriber.add(() => this.stop());
    if (!this.#subscriber.closed) source.subscribe(this);
  }

  protected override emitProgress(bytesSent: number): void {
    if (bytesSent === this.#emitted) return;
    this.#emitted = bytesSent;
    this.#subscriber.next({ bytesSent });
  }

  failed(error: unknown): void {
    this.#subscriber.error(error);
  }

  protected done(): void {
    this.#subscriber.complete();
  }
}
