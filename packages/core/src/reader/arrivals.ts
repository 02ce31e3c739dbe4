// The bytes of a socket as they arrive, for one reader at a time. The socket is held unless a read waits for bytes.
import { SocketError } from '../base/errors.js';
import { FlowSet } from '../flow/flow-set.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { Brake } from '../flow/holds.js';
import { controlOf, type Socket } from '../socket.js';

/** Sockets that have a reader. A second reader would wait forever, because the first one holds the socket. */
const socketsWithReader = new WeakSet<Socket>();

/** How the input has ended: with an error, or, at the peer's FIN, without one. */
export type InputEnd = { readonly error?: unknown };

export class Arrivals {
  /** Whether the last bytes arrived in real time: then the reads are spread over several turns of the event loop. */
  isRealTime = false;
  readonly #socket: Socket;
  readonly #flows = new FlowSet();
  readonly #brake = new Brake(this.#flows, 'reader');
  readonly #subscriber: FlowSubscriber<Buffer>;
  #end: InputEnd | undefined;
  #released = false;
  #wake: (() => void) | undefined;

  /**
   * Subscribes to the socket. The socket delivers nothing before {@link waitForMore} is called.
   * @param onChunk Called with every chunk.
   */
  constructor(socket: Socket, onChunk: (chunk: Buffer) => void) {
    if (socketsWithReader.has(socket)) throw readerExistsError(socket);
    this.#socket = socket;
    this.#subscriber = new FlowSubscriber<Buffer>(
      undefined,
      {
        next: (chunk) => {
          this.isRealTime = this.#flows.isRealTime;
          onChunk(chunk);
          this.#brake.on();
          this.wake();
        },
        error: (error) => this.#onEnd({ error }),
        complete: () => this.#onEnd({}),
      },
      this.#flows,
    );
    socketsWithReader.add(socket);
    this.#brake.on();
    controlOf(socket).bytes.subscribe(this.#subscriber);
  }

  /** Set when nothing more arrives. */
  get end(): InputEnd | undefined {
    return this.#end;
  }

  /** Lets the socket deliver. Resolves at the next chunk, at the end, or at a call of `wake()`. */
  async waitForMore(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#brake.off();
    });
    this.#wake = undefined;
    this.#brake.on();
  }

  /** Resolves the pending `waitForMore()`. */
  wake(): void {
    this.#wake?.();
  }

  /**
   * Stops reading, so that others can read the socket.
   * @param unused Bytes that go back to the socket, in their order.
   */
  release(unused: Buffer[]): void {
    // Only once: later, another reader may have the socket.
    if (this.#released) return;
    this.#released = true;
    socketsWithReader.delete(this.#socket);
    const { bytes } = controlOf(this.#socket);
    for (const chunk of unused.reverse()) bytes.unread(chunk, this.#subscriber);
    this.#end = { error: readerReleasedError() };
    this.#subscriber.unsubscribe();
    this.wake();
  }

  #onEnd(end: InputEnd): void {
    this.#end = end;
    this.wake();
  }
}

function readerExistsError({ local, remote }: Socket): SocketError {
  const message = 'The socket already has a reader: continue with that reader, or release() it first';
  return new SocketError(message, { code: 'ERR_READER_EXISTS', phase: 'read', local, remote });
}

function readerReleasedError(): SocketError {
  const message = 'The reader was released: create a new reader to go on';
  return new SocketError(message, { code: 'ERR_READER_RELEASED', phase: 'read' });
}
