// One Node stream, seen as the signals and acts that the engine needs: the only code that touches its stream events.
// The listeners are attached once, at birth, and stay for ever, so that no error is ever unhandled.
import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { Endpoints } from '../base/endpoint.js';
import type { SecureConnectEvent } from '../base/events.js';
import { onProgress, type ProgressEvent } from './dial-progress.js';
import { queuedBytes, removePatches, resetStream, shieldWrites, tapReads } from './node-internals.js';
import { securedBy } from './secured.js';
import { internetEndpoints, type Transport } from './transport.js';

/** What a link tells its connection. */
export interface NodeStreamHandlers {
  progress(event: ProgressEvent): void;
  /** The stream is open, and not yet secure. */
  connected(): void;
  opened(): void;
  /** Answers whether to go on reading. */
  received(chunk: Buffer): boolean;
  /** @param cut Whether it only looks like an end: a secure stream that nobody has closed. */
  ended(cut: boolean): void;
  wrote(): void;
  finished(): void;
  writeFailed(error: NodeJS.ErrnoException): void;
  failed(error: NodeJS.ErrnoException): void;
  closed(): void;
}

export class NodeStream {
  #stream: Duplex;
  readonly #transport: Transport;
  readonly #handlers: NodeStreamHandlers;
  readonly #listeners: (() => void)[] = [];
  #resume: () => void = () => {};
  /** Whether a handshake is going on: its own end is told, not that of the stream beneath it. */
  #securing = false;
  #reading = false;
  /** Whether a step of dialling is being told. */
  #dialling = false;
  #finishing = false;

  constructor(transport: Transport, handlers: NodeStreamHandlers) {
    this.#transport = transport;
    this.#handlers = handlers;
    this.#stream = transport.open();
  }

  /** As it is now: below, while a handshake is going on above it. */
  get stream(): Duplex {
    return this.#stream;
  }

  /** Tells from now on. */
  begin(): void {
    const { readyEvent, secure } = this.#transport;
    const stream = this.#stream;
    if (secure) this.#guard(stream);
    else this.#carry(stream);
    onProgress(
      (event) => this.#progress(event),
      (event, listener) => this.#listen(stream, event, listener),
    );
    const open = () => (secure ? this.#secure() : this.#handlers.opened());
    if (readyEvent) this.#listen(stream, readyEvent, open);
    else open();
  }

  // Node is in the middle of dialling: it does not bear being destroyed now.
  #progress(event: ProgressEvent): void {
    this.#dialling = true;
    try {
      this.#handlers.progress(event);
    } finally {
      this.#dialling = false;
    }
  }

  #secure(): void {
    const beneath = this.#stream;
    this.#handlers.connected();
    if (beneath.destroyed) return;
    this.#securing = true;
    this.#transport.secure?.(beneath, {
      done: (stream) => {
        if (!this.#securing) return;
        this.#securing = false;
        this.#stream = stream;
        stream.allowHalfOpen = true;
        this.#carry(stream);
        this.#handlers.opened();
      },
      failed: (error) => {
        if (!this.#securing) return;
        this.#securing = false;
        this.#handlers.failed(error);
        if (beneath.closed) this.#handlers.closed();
        else beneath.destroy();
      },
    });
  }

  // Bytes go to and fro on this one.
  #carry(stream: Duplex): void {
    const take = (chunk: Buffer) => {
      this.#reading = this.#handlers.received(chunk);
      return this.#reading;
    };
    const end = (cut: boolean) => this.#handlers.ended(cut);
    this.#resume = tapReads(stream, take, end) ?? this.#byEvents(take, () => end(false));
    shieldWrites(stream, (error) => this.#handlers.writeFailed(error));
    this.#listen(stream, 'finish', this.#finished);
    this.#guard(stream);
    queueMicrotask(() => this.#recall(stream));
  }

  #guard(stream: Duplex): void {
    const current = () => this.#stream === stream && !this.#securing;
    this.#listen(stream, 'error', (error: Error) => {
      if (!current()) return;
      this.#handlers.failed(error);
      // Node does so by itself, except for an alert of TLS.
      resetStream(stream);
    });
    this.#listen(stream, 'close', () => current() && this.#handlers.closed());
  }

  #listen<A extends unknown[]>(stream: Duplex, event: string, listener: (...args: A) => void): void {
    stream.on(event, listener as never);
    this.#listeners.push(() => stream.off(event, listener as never));
  }

  readonly #wrote = () => this.#handlers.wrote();

  readonly #finished = () => {
    this.#finishing = false;
    this.#handlers.finished();
  };

  // What a stream that somebody else has used before has told already.
  #recall({ errored, readableEnded, closed }: Duplex): void {
    if (readableEnded) this.#handlers.ended(false);
    if (errored) this.#handlers.failed(errored);
    if (closed) this.#handlers.closed();
  }

  // The documented way: 'data' and 'end', pause() and resume().
  #byEvents(take: (chunk: Buffer) => boolean, end: () => void): () => void {
    const stream = this.#stream;
    stream.pause();
    this.#listen(stream, 'data', (chunk: Buffer) => {
      if (!take(chunk)) stream.pause();
    });
    this.#listen(stream, 'end', end);
    return () => stream.resume();
  }

  get endpoints(): Endpoints {
    return (this.#transport.endpoints ?? internetEndpoints)(this.#stream);
  }

  /** What the handshake of a secure stream agreed on. */
  get secured(): SecureConnectEvent | undefined {
    return securedBy(this.#stream);
  }

  /** Lets go of the stream: what comes on it goes to somebody else. `undefined` if it holds bytes already. */
  detach(): Duplex | undefined {
    const stream = this.#stream;
    if (stream.readableLength > 0 || stream.destroyed) return undefined;
    for (const off of this.#listeners) off();
    removePatches(stream);
    return stream;
  }

  get destroyed(): boolean {
    return this.#stream.destroyed;
  }

  /** Bytes that wait in the stream; 0 means that all were handed to the kernel. */
  get pending(): number {
    return this.#stream.writableLength;
  }

  /**
   * Whether it leads to the kernel: a write costs a system call, and is copied, so that its memory may be used again once
   * `pending` is 0. Any other stream may keep what it was given.
   */
  get native(): boolean {
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

  /** Writes them as one; `wrote` follows when the bytes, all of them, were handed to the kernel. */
  write(chunks: readonly Uint8Array[]): void {
    const stream = this.#stream;
    const last = chunks.length - 1;
    if (last > 0) stream.cork();
    for (const [index, bytes] of chunks.entries()) stream.write(bytes, index === last ? this.#wrote : undefined);
    if (last > 0) stream.uncork();
  }

  /** Sends FIN; `finished` follows. */
  end(): void {
    const stream = this.#stream;
    this.#finishing = true;
    // Ended before it came here: it will not tell again.
    if (stream.writableFinished) queueMicrotask(this.#finished);
    // In the turn that ends a handshake of TLS 1.3, a server of Node's would send no close_notify.
    else if ('encrypted' in stream) setImmediate(() => stream.end());
    else stream.end();
  }

  destroy(): void {
    if (this.#dialling) process.nextTick(() => this.destroy());
    else this.#stream.destroy();
  }

  /** Ends so that the peer cannot take it for a FIN, unless one is on its way: then all bytes have been handed over. */
  reset(): void {
    if (this.#dialling) process.nextTick(() => this.reset());
    else if (this.#finishing) this.#stream.destroy();
    else resetStream(this.#stream);
  }
}
