// The bytes of a socket as they come, for one reader at a time: the socket is held unless somebody waits for them.
import { SocketError } from '../base/errors.js';
import { Brake, FlowSet } from '../flow/flow.js';
import { FlowSubscriber } from '../flow/flowable.js';
import { data } from '../operators/data.js';
import type { Socket } from '../socket.js';

/** Sockets that have a reader: a second one would wait for ever for what the first one holds. */
const taken = new WeakSet<Socket>();

/** How the input has ended: at the peer's FIN, or by an error. */
export type InputEnd = { readonly error?: unknown };

export class Arrivals {
  readonly #socket: Socket;
  readonly #flows = new FlowSet();
  readonly #brake = new Brake(this.#flows, 'reader');
  readonly #subscriber: FlowSubscriber<Buffer>;
  #end: InputEnd | undefined;
  #released = false;
  #wake: (() => void) | undefined;

  /**
   * Subscribes to the socket, which delivers nothing before {@link more} is called.
   * @param arrived Gets every chunk.
   */
  constructor(socket: Socket, arrived: (chunk: Buffer) => void) {
    if (taken.has(socket)) throw alreadyRead(socket);
    this.#socket = socket;
    this.#subscriber = new FlowSubscriber<Buffer>(
      undefined,
      {
        next: (chunk) => {
          arrived(chunk);
          this.#brake.on();
          this.wake();
        },
        error: (error) => this.#ended({ error }),
        complete: () => this.#ended({}),
      },
      this.#flows,
    );
    taken.add(socket);
    this.#brake.on();
    socket.pipe(data()).subscribe(this.#subscriber);
  }

  /** Set when nothing more comes. */
  get end(): InputEnd | undefined {
    return this.#end;
  }

  /** Lets the socket deliver until something comes, or the end, or somebody wakes it. */
  async more(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#brake.off();
    });
    this.#wake = undefined;
    this.#brake.on();
  }

  /** Whoever waits for more looks around. */
  wake(): void {
    this.#wake?.();
  }

  /**
   * Stops, and leaves the socket to others.
   * @param unused What goes back to the socket, in its order.
   */
  release(unused: Buffer[]): void {
    // Once only: by the second time the socket may be somebody else's.
    if (this.#released) return;
    this.#released = true;
    taken.delete(this.#socket);
    for (const chunk of unused.reverse()) this.#socket.unshift(chunk);
    this.#end ??= { error: released() };
    this.#subscriber.unsubscribe();
    this.wake();
  }

  #ended(end: InputEnd): void {
    this.#end = end;
    this.wake();
  }
}

function alreadyRead({ local, remote }: Socket): SocketError {
  const message = 'The socket has a reader already: go on with that one, or release() it first';
  return new SocketError(message, { code: 'ERR_READER_EXISTS', phase: 'read', local, remote });
}

function released(): SocketError {
  const message = 'The reader was released: make another one to go on';
  return new SocketError(message, { code: 'ERR_READER_RELEASED', phase: 'read' });
}
