// sendFrom(): sends what an iterable yields.
import type { Observable } from 'rxjs';
import { type Chunk, toBytes } from '../base/bytes.js';
import { checkBoolean, checkOptions } from '../base/check.js';
import { checkFlowInput, type FlowInput, pull } from '../flow/flow-input.js';
import { controlOf, type Socket } from '../socket.js';
import { transfer } from './transfer.js';
import type { EndOptions, WriteProgress } from './whole-write.js';

/**
 * Sends the chunks of an iterable, an async iterable, a generator, a Node `Readable` or a Web `ReadableStream`, and
 * emits the progress. The subscription starts it, dials if nothing has dialled yet, and keeps the socket open without
 * reading it.
 *
 * **Half-close**: when the source ends, the write side completes, and the result completes when FIN was sent; with
 * `end: false`, when everything was handed to the kernel. The peer's FIN does not stop the transfer, whatever
 * `allowHalfOpen` says. If the source fails, the peer leaves, or you unsubscribe before the end, the connection is
 * aborted, so that the peer cannot take a part for the whole. The source is released at once: an iterator is returned,
 * a stream destroyed or cancelled.
 *
 * **Backpressure**: pulls the next chunk while less than the socket's `highWaterMark` waits to be sent.
 *
 * @param options `end`: whether FIN is sent after the last byte. Default: `true`.
 * @throws At the call: TypeError if one of the arguments is not what it should be.
 * @throws As a notification: what the source fails with; TypeError for a chunk that is neither a string nor a
 * `Uint8Array`; what the socket fails with; {@link SocketError} `ERR_STREAM_WRITE_AFTER_END` after `complete()`,
 * `ERR_STREAM_PREMATURE_CLOSE` if the socket closes before everything was written.
 *
 * @example
 * ```ts
 * import { connect, sendFrom } from '@rxsock/core';
 *
 * async function* report() {
 *   yield 'first line\n';
 *   yield 'second line\n';
 * }
 * sendFrom(connect({ port: 9000 }), report()).subscribe({ complete: () => console.log('sent') });
 * ```
 */
export function sendFrom(
  socket: Socket,
  source: FlowInput<Chunk>,
  options: EndOptions = {},
): Observable<WriteProgress> {
  const control = controlOf(socket);
  checkFlowInput(source);
  checkOptions(options, '{ end: false }');
  const { end = true } = options;
  checkBoolean('end', end);
  return transfer<WriteProgress>(socket, end, async (running, emit) => {
    // An error of this side does not wait until the peer takes what was written.
    const chunks = pull(source, (error) => running.stop(error));
    let emitted = 0;
    let ended = false;
    const emitProgress = () => {
      const { bytesSent } = running;
      if (bytesSent > emitted) emit({ bytesSent });
      emitted = bytesSent;
    };
    const next = async () => {
      try {
        return await chunks.next();
      } catch (error) {
        ended = true;
        throw error;
      }
    };
    try {
      for (let result = await running.until(next()); !result.done; result = await running.until(next())) {
        const hasRoom = running.write(toBytes(result.value));
        // Before the next chunk is pulled: the source may reuse the memory of this one.
        control.writeSide.flush();
        if (!hasRoom) await running.until(running.ready());
        emitProgress();
      }
      ended = true;
      await running.flushed();
      emitProgress();
    } finally {
      if (!ended) chunks.stop();
    }
  });
}
