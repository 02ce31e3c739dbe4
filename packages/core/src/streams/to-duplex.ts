// toDuplex(): a Socket as a Node Duplex.
import { Duplex } from 'node:stream';
import type { Subscription } from 'rxjs';
import { FlowSet } from '../flow/flow-set.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { Brake } from '../flow/holds.js';
import { controlOf, type Socket } from '../socket.js';
import { watch } from '../transfer/watch.js';
import { WholeWrite } from '../transfer/whole-write.js';

/**
 * A socket as a Node `Duplex`, for libraries that take one. Dials if nothing has dialled yet. From here on the stream
 * owns the socket, both ways: write and complete through the stream.
 *
 * **Half-close**: `end()` sends FIN and reading goes on. The peer's FIN is `'end'`. Unless the socket's `allowHalfOpen`
 * was on, it also ends our side after everything that was written. `destroy()` before both sides have ended aborts the
 * connection.
 *
 * **Backpressure**: both ways. Bytes are read ahead up to `readableHighWaterMark`, the socket's `highWaterMark` in
 * bytes.
 *
 * @throws At the call: TypeError for something that is not a socket.
 * @throws As the stream's `'error'`: what the socket fails with. A stream that is read emits it after what the peer had
 * sent before.
 *
 * @example
 * ```ts
 * import { request } from 'node:http';
 * import { connect, toDuplex } from '@rxsock/core';
 *
 * const createConnection = () => toDuplex(connect({ host: 'localhost', port: 80 }));
 * request({ createConnection }, (response) => response.pipe(process.stdout)).end();
 * ```
 */
export function toDuplex(socket: Socket): Duplex {
  return new SocketDuplex(socket);
}

type Callback = (error?: Error | null) => void;

class SocketDuplex extends Duplex {
  readonly #socket: Socket;
  readonly #write: WholeWrite;
  readonly #flows = new FlowSet();
  readonly #brake = new Brake(this.#flows, 'toDuplex');
  readonly #reader: Subscription;
  readonly #watching: Subscription;
  /** The callback of the pending write. */
  #writeCallback: Callback | undefined;
  #ended = { input: false, output: false };
  #failure: Error | undefined;

  constructor(socket: Socket) {
    const { bytes, limits } = controlOf(socket);
    super({ allowHalfOpen: socket.allowHalfOpen, highWaterMark: limits.highWaterMark });
    this.#socket = socket;
    const fail = (error: unknown) => this.#fail(error as Error);
    // A failure of the write side is emitted at once only if nobody reads. Otherwise it follows what the peer has sent.
    const failed = (error: unknown) => process.nextTick(() => this.readableFlowing === null && fail(error));
    // Until _destroy(), so that at the peer's FIN everything that waits in the stream leaves before our side ends.
    this.#write = new WholeWrite(socket, { failed });
    const reader = new FlowSubscriber<Buffer>(
      undefined,
      {
        next: (chunk) => {
          if (!this.push(chunk)) this.#brake.on();
        },
        error: fail,
        complete: () => {
          this.#ended.input = true;
          this.push(null);
        },
      },
      this.#flows,
    );
    this.#reader = reader;
    // For failures after the peer's FIN.
    this.#watching = watch(socket, 'close').subscribe({ error: fail });
    bytes.subscribe(reader);
  }

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    if (this.#failure && this.readableLength === 0) process.nextTick(() => this.destroy(this.#failure));
    return chunk;
  }

  override _read(): void {
    this.#brake.off();
  }

  override _write(bytes: Buffer, _encoding: string, callback: Callback): void {
    this.#callbackWhen(this.#socket.write(bytes), callback);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: Callback): void {
    const written = chunks.map(({ chunk }) => this.#socket.write(chunk));
    this.#callbackWhen(written.at(-1), callback);
  }

  override _final(callback: Callback): void {
    this.#write.finish(true, () => {
      this.#ended.output = true;
      callback();
    });
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const { input, output } = this.#ended;
    const reason = error ?? new Error('the stream was destroyed before its end');
    if (!(input && output) && !this.#failure) this.#socket.error(reason);
    this.#reader.unsubscribe();
    this.#watching.unsubscribe();
    this.#write.close(reason);
    this.#callWriteCallback(reason);
    callback(error);
  }

  // If the write side breaks, the callback waits for _destroy(): the error comes after what the peer has sent before.
  #callbackWhen(written: Promise<void> | undefined, callback: Callback): void {
    this.#writeCallback = callback;
    written?.then(
      () => this.#callWriteCallback(),
      (error) => controlOf(this.#socket).writeState === 'broken' || this.#callWriteCallback(error),
    );
  }

  #callWriteCallback(error?: Error): void {
    const callback = this.#writeCallback;
    this.#writeCallback = undefined;
    callback?.(error);
  }

  #fail(error: Error): void {
    this.#failure = error;
    const hasUnread = this.readableFlowing !== null && this.readableLength > 0;
    if (!hasUnread) this.destroy(error);
  }
}
