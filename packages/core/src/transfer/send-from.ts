// sendFrom(): sends what an iterable yields.
import type { Observable } from 'rxjs';
import { checkFlowInput, type FlowInput, pull } from '../flow/flow-input.js';
import type { Chunk } from '../framing/codec.js';
import type { EndOptions, WriteProgress } from '../operators/write-to.js';
import { connectionOf, type Socket, toBytes } from '../socket.js';
import { transfer } from './transfer.js';

/**
 * Sends the chunks of an async iterable, a generator, a Node `Readable` or a Web `ReadableStream`, and emits progress.
 * Nothing happens before it is subscribed to; then it dials if need be, and keeps the socket open without reading it.
 *
 * Half-close: when the source ends, so does the write side, and this completes once FIN is out; with `end: false` once
 * all is handed to the kernel. The peer's FIN does not cut it, whatever `allowHalfOpen` says. Where the source fails, the
 * peer leaves, or somebody unsubscribes before the end, the connection is aborted, so that the peer cannot take a part
 * for the whole, and the source is let go of at once: an iterator is returned, a stream destroyed or cancelled.
 * Backpressure: pulls the next chunk while less than the socket's `highWaterMark` (in bytes) waits to be sent.
 *
 * @throws TypeError at the call if `source` cannot be pulled. As notifications: what the source fails with, as it is; a
 * TypeError for a chunk that is neither a string nor a Uint8Array; the {@link SocketError} that the socket fails with.
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
  { end = true }: EndOptions = {},
): Observable<WriteProgress> {
  checkFlowInput(source);
  return transfer<WriteProgress>(socket, end, async ({ write, until }, emit) => {
    const { writeSide, limits } = connectionOf(socket);
    const chunks = pull(source);
    let total = 0;
    let sent = 0;
    let over = false;
    let written: Promise<void> | undefined;
    const progress = () => {
      // Others may write as well: what waits is then not all ours.
      const now = Math.max(sent, total - writeSide.pending);
      if (now > sent) emit({ bytesSent: now });
      sent = now;
    };
    const next = async () => {
      try {
        return await chunks.next();
      } catch (error) {
        over = true;
        throw error;
      }
    };
    try {
      for (let result = await until(next()); !result.done; result = await until(next())) {
        const bytes = toBytes(result.value);
        total += bytes.length;
        written = write(bytes);
        // Before the next one is pulled: a source may use the memory of its chunks again.
        writeSide.flush();
        if (writeSide.pending >= limits.highWaterMark) await written;
        progress();
      }
      over = true;
      await written;
      progress();
    } finally {
      if (!over) chunks.stop();
    }
  });
}
