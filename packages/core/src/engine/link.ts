// One Node stream, seen as the signals and acts that the engine needs: the only code that touches its stream events.
// The listeners are attached once, at birth, and stay for ever, so that no error is ever unhandled.
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { type Endpoint, internetEndpoint } from '../endpoint.js';
import type { ConnectionAttemptEvent, ConnectionAttemptFailedEvent, LookupEvent } from '../events.js';
import { queuedBytes, resetBeneath, shieldWrites, tapReads } from './internals.js';

/** How a transport opens a stream: all that tells one transport from another. */
export interface Transport {
  /** Begins to open; called once. */
  open(): Duplex;
  /** The event after which the stream carries the user's bytes; `undefined` if it is open from birth. */
  readonly ready: 'connect' | 'secureConnect' | undefined;
  /** Whom this goes to, for messages. */
  readonly target: string;
}

/** What a link tells its connection. */
export interface LinkHandlers {
  progress(event: LookupEvent | ConnectionAttemptEvent | ConnectionAttemptFailedEvent): void;
  opened(): void;
  /** Answers whether to go on reading. */
  received(chunk: Buffer): boolean;
  ended(): void;
  wrote(): void;
  finished(): void;
  writeFailed(error: NodeJS.ErrnoException): void;
  failed(error: NodeJS.ErrnoException): void;
  closed(): void;
}

export class Link {
  readonly #stream: Duplex;
  readonly #wrote: () => void;
  readonly #finished: () => void;
  readonly #resume: () => void;
  #reading = false;
  #finishing = false;

  constructor(transport: Transport, handlers: LinkHandlers) {
    const stream = transport.open();
    this.#stream = stream;
    this.#wrote = () => handlers.wrote();
    const take = (chunk: Buffer) => {
      this.#reading = handlers.received(chunk);
      return this.#reading;
    };
    this.#resume = tapReads(stream, take, () => handlers.ended()) ?? this.#byEvents(take, () => handlers.ended());
    shieldWrites(stream, (error) => handlers.writeFailed(error));
    this.#finished = () => {
      this.#finishing = false;
      handlers.finished();
    };
    stream.on('finish', this.#finished);
    stream.on('error', (error) => handlers.failed(error));
    stream.on('close', () => handlers.closed());
    if (transport.ready) stream.once(transport.ready, () => handlers.opened());
    queueMicrotask(() => this.#recall(handlers));
    const host = transport.target;
    stream.on('lookup', (error: Error | null, address: string, family: number | string) => {
      if (!error) handlers.progress({ type: 'lookup', host, address, family: family === 6 ? 'IPv6' : 'IPv4' });
    });
    stream.on('connectionAttempt', (address: string, port: number) =>
      handlers.progress({ type: 'connectionAttempt', address, port }),
    );
    const attemptFailed = (address: string, port: number, code: string) =>
      handlers.progress({ type: 'connectionAttemptFailed', address, port, code });
    stream.on(
      'connectionAttemptFailed',
      (address: string, port: number, _family: number, error: NodeJS.ErrnoException) =>
        attemptFailed(address, port, error.code ?? 'EIO'),
    );
    stream.on('connectionAttemptTimeout', (address: string, port: number) => attemptFailed(address, port, 'ETIMEDOUT'));
  }

  // What a stream that somebody else has used before has told already.
  #recall(handlers: LinkHandlers): void {
    const { errored, readableEnded, closed } = this.#stream;
    if (readableEnded) handlers.ended();
    if (errored) handlers.failed(errored);
    if (closed) handlers.closed();
  }

  // The documented way: 'data' and 'end', pause() and resume().
  #byEvents(take: (chunk: Buffer) => boolean, end: () => void): () => void {
    this.#stream.pause();
    this.#stream.on('data', (chunk: Buffer) => {
      if (!take(chunk)) this.#stream.pause();
    });
    this.#stream.on('end', end);
    return () => this.#stream.resume();
  }

  get local(): Endpoint | undefined {
    const { localAddress: address, localPort: port } = this.#stream as net.Socket;
    return internetEndpoint(address, port);
  }

  get remote(): Endpoint | undefined {
    const { remoteAddress: address, remotePort: port } = this.#stream as net.Socket;
    return internetEndpoint(address, port);
  }

  get destroyed(): boolean {
    return this.#stream.destroyed;
  }

  /** Bytes that wait in the stream; 0 means that all were handed to the kernel. */
  get pending(): number {
    return this.#stream.writableLength;
  }

  /**
   * Whether the kernel copies what is written, so that its memory may be used again once `pending` is 0. Any other stream
   * may keep what it was given.
   */
  get copies(): boolean {
    return this.#stream instanceof net.Socket;
  }

  /** As `pending`, but moving in the middle of a write; 0 where that is not to be seen. */
  get queued(): number {
    return queuedBytes(this.#stream);
  }

  /** Reads until `received` answers no. */
  read(): void {
    if (this.#reading || this.#stream.destroyed) return;
    this.#reading = true;
    this.#resume();
  }

  /** `wrote` follows when the bytes, all of them, were handed to the kernel. */
  write(bytes: Uint8Array): void {
    this.#stream.write(bytes, this.#wrote);
  }

  /** Sends FIN; `finished` follows. */
  end(): void {
    this.#finishing = true;
    // Ended before it came here: it will not tell again.
    if (this.#stream.writableFinished) queueMicrotask(this.#finished);
    else this.#stream.end();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  /**
   * Ends so that the peer cannot take it for a FIN: a reset where the transport has one, an error for a stream that is
   * none of Node's sockets (one of HTTP/2 ends cleanly without it). While dialling there is nobody to reset, and while a
   * FIN is on its way out all bytes have been handed over.
   */
  reset(): void {
    const stream = this.#stream;
    if (!(stream instanceof net.Socket)) return void stream.destroy(new Error('aborted'));
    const resettable = !stream.connecting && !stream.pending && !this.#finishing;
    try {
      if (resettable) stream.resetAndDestroy();
    } catch {
      // ERR_INVALID_HANDLE_TYPE: TLS, which has one beneath, or a pipe, which has none.
      resetBeneath(stream);
    }
    stream.destroy();
  }
}
