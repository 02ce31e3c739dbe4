// toDuplex(): a Socket as a Node Duplex.
import { Duplex } from 'node:stream';
import type { Subscription } from 'rxjs';
import { Brake, FlowSet } from '../flow/flow.js';
import { FlowSubscriber } from '../flow/flowable.js';
import { data } from '../operators/data.js';
import { watchOrFail } from '../operators/watch.js';
import { connectionOf, type Socket } from '../socket.js';

/**
 * A socket as a Node `Duplex`, for libraries that take one. Dials if nobody has, and owns the socket from here on, both
 * ways: write and complete through the stream.
 *
 * Half-close: `end()` sends FIN and reading goes on; the peer's FIN is `'end'`, and ends our side too, after all that was
 * written, unless the socket's `allowHalfOpen` was on. `destroy()` before both ends aborts the connection. What the socket fails with
 * is its `'error'`, and to who reads it comes after what the peer had said before. Backpressure: both ways. Bytes are read ahead up to its `readableHighWaterMark`.
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

type Tell = (error?: Error | null) => void;

class SocketDuplex extends Duplex {
  readonly #socket: Socket;
  readonly #flows = new FlowSet();
  readonly #brake = new Brake(this.#flows, 'toDuplex');
  readonly #reader: Subscription;
  readonly #watching: Subscription;
  /** The callback of the write that is going on. */
  #writing: Tell | undefined;
  #whole = { input: false, output: false };
  #failure: Error | undefined;

  constructor(socket: Socket) {
    const connection = connectionOf(socket);
    const { allowHalfOpen, limits, writeSide } = connection;
    super({ allowHalfOpen, highWaterMark: limits.highWaterMark });
    this.#socket = socket;
    // At the peer's FIN, what waits in the stream goes out before our side ends. Never taken back: it ends, or aborts.
    connection.beginWrite();
    const fail = (error: unknown) => this.#fail(error as Error);
    const reader = new FlowSubscriber<Buffer>(
      undefined,
      {
        next: (bytes) => {
          if (!this.push(bytes)) this.#brake.on();
        },
        error: fail,
        complete: () => {
          this.#whole.input = true;
          this.push(null);
        },
      },
      this.#flows,
    );
    this.#reader = reader;
    // For the failures after the peer's FIN, and for those of the write side where nobody reads.
    this.#watching = watchOrFail(socket, 'close').subscribe({ error: fail });
    this.#watching.add(writeSide.onBroken((error) => this.readableFlowing === null && fail(error)));
    socket.pipe(data()).subscribe(reader);
  }

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    if (this.#failure && this.readableLength === 0) process.nextTick(() => this.destroy(this.#failure));
    return chunk;
  }

  override _read(): void {
    this.#brake.off();
  }

  override _write(bytes: Buffer, _encoding: string, tell: Tell): void {
    this.#tellWhen(this.#socket.write(bytes), tell);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], tell: Tell): void {
    const written = chunks.map(({ chunk }) => this.#socket.write(chunk));
    this.#tellWhen(written.at(-1), tell);
  }

  override _final(tell: Tell): void {
    const finish = watchOrFail(this.#socket, 'finish');
    const next = () => {
      this.#whole.output = true;
      tell();
    };
    this.#watching.add(finish.subscribe({ next, error: () => {} }));
    this.#socket.complete();
  }

  override _destroy(error: Error | null, tell: Tell): void {
    const { input, output } = this.#whole;
    const cut = error ?? new Error('the stream was destroyed before its end');
    if (!(input && output) && !this.#failure) this.#socket.error(cut);
    this.#reader.unsubscribe();
    this.#watching.unsubscribe();
    this.#written(cut);
    tell(error);
  }

  // Where the socket fails, that is told after what the peer has said before.
  #tellWhen(written: Promise<void> | undefined, tell: Tell): void {
    const { writeSide } = connectionOf(this.#socket);
    this.#writing = tell;
    written?.then(
      () => this.#written(),
      (error) => writeSide.state === 'broken' || this.#written(error),
    );
  }

  #written(error?: Error): void {
    const tell = this.#writing;
    this.#writing = undefined;
    tell?.(error);
  }

  #fail(error: Error): void {
    this.#failure = error;
    const unread = this.readableFlowing !== null && this.readableLength > 0;
    if (!unread) this.destroy(error);
  }
}
