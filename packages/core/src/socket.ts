// The socket as users see it: an Observable of typed events and an Observer for writes, in front of one connection.
import type { Observable, Observer, Subscriber } from 'rxjs';
import type { Endpoint } from './base/endpoint.js';
import { SocketError } from './base/errors.js';
import type { CloseReport, SocketEvent } from './base/events.js';
import { broadcast, type Registrable } from './base/registrable.js';
import type { Connection, ReadyState } from './engine/connection.js';
import { checkLimit } from './engine/limits.js';
import type { TransportType } from './engine/transport.js';
import { Flowable } from './flow/flowable.js';
import type { Chunk } from './framing/codec.js';
import { data } from './operators/data.js';
import { type TakesBack, takeBack } from './operators/give-back.js';
import { toAsyncIterable } from './streams/async-iterable.js';

let connectionOf: (socket: Socket) => Connection;

/**
 * A socket: an Observable of {@link SocketEvent}s and an Observer of bytes, whatever the transport.
 *
 * Half-close: `complete()` sends FIN and reading goes on; the peer's FIN is the event `end`, not the end of the
 * connection. Backpressure: `next()` answers `false` when it is time to wait for `drain`, and `hold()` makes the peer wait.
 *
 * It reads while it has at least one reader (a plain subscription, `data()`, the iterator, `reader()`) and no hold. When
 * the last subscriber has left it closes gracefully. One connection is shared by all subscribers; it is dialled by the
 * first of them, or by `write()`, `complete()` or `close()`.
 *
 * @see RFC 9293 (TCP), https://nodejs.org/api/net.html
 * @example
 * ```ts
 * import { connect, on } from '@rxsock/core';
 *
 * const socket = connect({ host: 'localhost', port: 7 });
 * socket.pipe(on('data')).subscribe(({ data }) => console.log(data.toString()));
 * socket.next('hello\n');
 * socket.complete(); // FIN: the echo still arrives
 * ```
 */
export class Socket
  extends Flowable<SocketEvent>
  implements Observer<Chunk>, Registrable<SocketEvent>, TakesBack, AsyncDisposable
{
  readonly #connection: Connection;
  /** A name for logs and registries. */
  name = '';
  /** Anything you want to keep with the socket. */
  mark: unknown;

  /** @internal Made by `connect`, `listen` and `fromDuplex`. */
  constructor(connection: Connection) {
    super((subscriber) => connection.subscribe(subscriber), connection.flow);
    this.#connection = connection;
  }

  static {
    connectionOf = (socket) => {
      if (typeof socket === 'object' && socket !== null && #connection in socket) return socket.#connection;
      throw new TypeError(
        `A Socket is needed here, one of connect(), of a server or of fromDuplex(), not ${describe(socket)}`,
      );
    };
  }

  /**
   * Writes bytes; a string is written as UTF-8. Does not dial: what is written before is kept and sent in order. What is
   * written in one turn goes out together, at its end: many small writes cost little more than one. So a process that exits
   * in the same turn has sent nothing: await `write()` first. The bytes are not copied: leave them as they are until they
   * have left.
   * @returns `false` at or over `highWaterMark`: wait for `drain`. Also `false` when nothing can be written any more.
   * @throws TypeError if the chunk is neither a string nor a Uint8Array; the socket is unharmed.
   */
  next(chunk: Chunk): boolean {
    const bytes = toBytes(chunk);
    const { writeSide } = this.#connection;
    if (writeSide.state === 'completing' || writeSide.state === 'finished') process.emitWarning(afterComplete(this));
    this.#connection.claim();
    return this.#connection.write(bytes);
  }

  /** @internal As `next`, unless the write side is closed. */
  [broadcast](bytes: Uint8Array): boolean {
    const { writeSide } = this.#connection;
    // Who fails over it will never drain.
    return writeSide.state !== 'open' || this.next(bytes) || writeSide.state !== 'open';
  }

  /** Half-closes: sends FIN after all that was written. Reading goes on. Dials if nobody has. */
  complete(): void {
    this.#connection.complete();
  }

  /**
   * Aborts: drops what waits to be written and resets the connection, so that the peer cannot take a part for the whole.
   * Subscribers get an {@link AbortedError} whose `cause` is the reason.
   */
  error(reason?: unknown): void {
    this.#connection.abort(reason);
  }

  /**
   * Writes bytes and tells when the kernel has taken them; dials if nobody has. Whether the peer has read them, only the
   * peer can tell. A rejection that nobody handles is harmless.
   * @throws {@link SocketError} (rejects) if the bytes never left; `ERR_STREAM_WRITE_AFTER_END` after `complete()`.
   */
  write(chunk: Chunk): Promise<void> {
    const bytes = toBytes(chunk);
    const { writeSide } = this.#connection;
    const refused = writeSide.state === 'completing' || writeSide.state === 'finished';
    this.#connection.dial();
    this.#connection.claim();
    if (!refused) this.#connection.write(bytes);
    const written = refused ? Promise.reject(afterComplete(this)) : writeSide.flushed();
    written.catch(() => {});
    return written;
  }

  /**
   * Closes gracefully: flushes, sends FIN, waits for the peer's, and after `timeout` milliseconds aborts. What arrives
   * meanwhile still goes to readers that take it; while held it is dropped.
   * @param options.timeout In milliseconds; 0 aborts at once, Infinity waits for ever. Default: `lingerTimeout`.
   * @returns How it ended. Never rejects.
   */
  close(options: { readonly timeout?: number } = {}): Promise<CloseReport> {
    const timeout = options.timeout ?? this.#connection.limits.lingerTimeout;
    checkLimit('timeout', timeout);
    return this.#connection.close(timeout);
  }

  /** Gives back bytes that were read and not used: the next reader starts there. Who has seen them does not again. */
  unshift(bytes: Uint8Array): void {
    this.#connection.unread(bytes);
  }

  /** @internal Bytes given back by one of the subscribers: they come again to those who have not seen them. */
  [takeBack](bytes: Uint8Array, by: Subscriber<unknown> | undefined): void {
    this.#connection.unread(bytes, by);
  }

  /** Pulls the bytes one chunk at a time; the peer waits while you do. Ends at the peer's FIN; throws what the socket fails with. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return toAsyncIterable(this.pipe(data()))[Symbol.asyncIterator]();
  }

  /** Closes gracefully at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * `idle`, `resolving`, `connecting`, `securing`, `open`, `readOnly` (our FIN is out), `writeOnly` (the peer's came),
   * `closing`, `closed`.
   */
  get readyState(): ReadyState {
    return this.#connection.readyState;
  }

  /**
   * The `readyState`, now and whenever it changes; completes behind `closed`, whatever the socket ends with. It only looks:
   * it does not dial, does not read, and does not keep the socket open.
   */
  get readyStates(): Observable<ReadyState> {
    return this.#connection.readyStates;
  }

  /** What carries its bytes: `tcp`, `tls`, `unix`, or `duplex` for a stream of somebody else's. */
  get type(): TransportType {
    return this.#connection.type;
  }

  /** Our end; `undefined` before the connection is open. */
  get local(): Endpoint | undefined {
    return this.#connection.opening.local;
  }

  /** The peer's end; `undefined` before the connection is open. */
  get remote(): Endpoint | undefined {
    return this.#connection.opening.remote;
  }

  /** Bytes received, delivered or not. */
  get bytesRead(): number {
    return this.#connection.bytesRead;
  }

  /** Bytes handed to the kernel. */
  get bytesWritten(): number {
    return this.#connection.writeSide.written;
  }

  /** Bytes received that nobody has taken yet: the socket is held, or nobody reads it. */
  get readableLength(): number {
    return this.#connection.readableLength;
  }

  /** Bytes that wait to be handed to the kernel. */
  get writableLength(): number {
    return this.#connection.writeSide.pending;
  }

  /** When the connection opened, in milliseconds since the epoch of the scheduler's clock. */
  get openedAt(): number | undefined {
    return this.#connection.opening.openedAt;
  }

  /** When bytes last arrived, in milliseconds. */
  get lastReadAt(): number | undefined {
    return this.#connection.lastReadAt;
  }

  /** When bytes were last handed to the kernel, in milliseconds. */
  get lastWriteAt(): number | undefined {
    return this.#connection.lastWriteAt;
  }

  /** Whether our side stays open after the peer's FIN. */
  get allowHalfOpen(): boolean {
    return this.#connection.allowHalfOpen;
  }

  set allowHalfOpen(allow: boolean) {
    this.#connection.allowHalfOpen = allow;
  }
}

export { connectionOf };

/** For bytes that come when FIN is out, or on its way. */
export function afterComplete({ local, remote }: Socket): SocketError {
  const options = { code: 'ERR_STREAM_WRITE_AFTER_END', phase: 'write', local, remote } as const;
  return new SocketError('Written after complete(): the bytes were not sent', options);
}

/** The bytes of a chunk. */
export function toBytes(chunk: Chunk): Uint8Array {
  if (typeof chunk === 'string') return Buffer.from(chunk);
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError(`Only strings and Uint8Arrays can be written to a socket, not ${describe(chunk)}`);
}

function describe(value: unknown): string {
  return value === null ? 'null' : typeof value === 'object' ? (value.constructor?.name ?? 'an object') : typeof value;
}
