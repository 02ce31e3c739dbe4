// The socket as users see it: an Observable of typed events and an Observer of bytes, in front of one connection.
import { type InspectOptions, inspect } from 'node:util';
import type { Observable, Observer, Subscriber } from 'rxjs';
import { type Chunk, toBytes } from './base/bytes.js';
import { checkBytes, checkOptions, checkTimeout } from './base/check.js';
import { checkCopy } from './base/copy.js';
import type { Endpoint } from './base/endpoint.js';
import { SocketError } from './base/errors.js';
import type { CloseReport, SocketEvent } from './base/events.js';
import { handled } from './base/handled.js';
import { broadcast, type Registrable } from './base/registrable.js';
import type { Connection } from './engine/connection.js';
import type { ReadyState } from './engine/connection-machine.js';
import type { SocketControl } from './engine/control.js';
import type { TransportType } from './engine/transport.js';
import { Flowable, OriginOperator } from './flow/flowable.js';
import type { Holder } from './flow/holds.js';
import { iterate } from './flow/iterate.js';
import { idOf } from './observe/ids.js';
import { inspected } from './observe/inspect.js';
import { plainProperties } from './observe/plain-properties.js';
import type { Proxied } from './proxy-protocol/proxied.js';

/** Returns the {@link SocketControl} of a socket. Throws a TypeError for anything else. */
let controlOf: (socket: Socket) => SocketControl;

const EVENTS = new OriginOperator<Connection, SocketEvent>((connection, subscriber) =>
  connection.subscribe(subscriber as Subscriber<never>),
);

/**
 * A socket: an Observable of {@link SocketEvent}s and an Observer of bytes, over any transport.
 *
 * The first subscription dials, and so do `write()`, `complete()`, and `close()` if something was written. All
 * subscribers share the connection. The socket reads while it has at least one reader (a plain subscription, `data()`,
 * the iterator or `reader()`) and no hold. When the last subscriber has left, it closes gracefully: see `keepOpen`.
 *
 * **Half-close**: `complete()` sends FIN and reading goes on. The peer's FIN is the event `end`, not the end of the
 * connection.
 *
 * **Backpressure**: `next()` returns `false` when you should wait for `drain`. `hold()` makes the peer wait.
 *
 * @see RFC 9293 (TCP), https://nodejs.org/api/net.html
 * @example
 * ```ts
 * import { connect, on } from '@rxsock/core';
 *
 * const socket = connect({ host: 'localhost', port: 7 });
 * socket.pipe(on('data')).subscribe(({ data }) => console.log(data.toString()));
 * socket.next('hello\n');
 * socket.complete(); // sends FIN: the echo still arrives
 * ```
 */
export class Socket
  extends Flowable<SocketEvent>
  implements Observer<Chunk>, Registrable<SocketEvent>, AsyncDisposable
{
  readonly #connection: Connection;
  /** Whether a write after `complete()` has emitted its warning. */
  #hasWarned = false;
  /** A name for logs and registries. */
  name = '';
  /** Any value that you want to keep with the socket. */
  mark: unknown;

  /** @internal Created by `connect`, `listen` and `fromDuplex`. */
  constructor(connection: Connection) {
    super(undefined, connection.flow);
    EVENTS.apply(this, connection);
    this.#connection = connection;
    connection.socket = this;
  }

  static {
    controlOf = (socket) => {
      if (typeof socket === 'object' && socket !== null && #connection in socket) return socket.#connection;
      checkCopy(socket);
      const given = inspect(socket, { depth: -1 });
      throw new TypeError(`Expected a Socket, made by connect(), listen() or fromDuplex(), not ${given}`);
    };
  }

  /**
   * Writes bytes. A string is written as UTF-8. Bytes written before the connection is open are kept and sent in order;
   * `next()` itself does not dial.
   *
   * All bytes written in one turn leave together at the end of the turn, so many small writes cost little more than
   * one. If the process exits in the same turn, nothing is sent: await `write()` first. The bytes are not copied: do
   * not change them before they have left.
   *
   * @returns `false` at or over `highWaterMark`: wait for `drain`. Also `false` when nothing can be written any more.
   * If that is because our side was completed, the socket emits a process warning too.
   * @throws At the call: TypeError if the chunk is neither a string nor a `Uint8Array`. The socket is unchanged.
   */
  next(chunk: Chunk): boolean {
    const bytes = toBytes(chunk);
    if (this.#isCompleted()) this.#warnOnce();
    this.#connection.claim();
    return this.#connection.write(bytes);
  }

  /** @internal As `next`, unless the write side is closed. */
  [broadcast](bytes: Uint8Array): boolean {
    const { writeSide } = this.#connection;
    // A socket that fails with this write never emits `drain`, so nobody should wait for it.
    return writeSide.state !== 'open' || this.next(bytes) || writeSide.state !== 'open';
  }

  /** Half-closes: sends FIN after everything that was written. Reading goes on. Dials if nothing has dialled yet. */
  complete(): void {
    this.#connection.complete();
  }

  /**
   * Aborts: drops what waits to be written and resets the connection, so that the peer cannot mistake a part for the
   * whole. Subscribers receive an {@link AbortedError} (`ERR_SOCKET_ABORTED`) whose `cause` is the reason.
   */
  error(reason?: unknown): void {
    this.#connection.abort(reason);
  }

  /**
   * Writes bytes and reports when the kernel has accepted them. Dials if nothing has dialled yet.
   *
   * @returns Resolves when the bytes were handed to the kernel. Only the peer knows whether it has read them. You may
   * ignore the promise: a rejection that nobody handles does no harm.
   * @throws At the call: TypeError if the chunk is neither a string nor a `Uint8Array`.
   * @throws As a rejection: {@link SocketError} `ERR_STREAM_WRITE_AFTER_END` if our side was completed: by
   * `complete()`, by `close()`, by the last subscriber that left, or by the peer's FIN; what the socket fails with if
   * the bytes never left.
   */
  write(chunk: Chunk): Promise<void> {
    const bytes = toBytes(chunk);
    const completed = this.#isCompleted();
    this.#connection.dial();
    this.#connection.claim();
    if (!completed) this.#connection.write(bytes);
    return completed ? handled(Promise.reject(writeAfterEndError(this))) : this.#connection.writeSide.flushed();
  }

  #warnOnce(): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    process.emitWarning(writeAfterEndError(this));
  }

  #isCompleted(): boolean {
    const { state } = this.#connection.writeSide;
    return state === 'completing' || state === 'finished';
  }

  /**
   * Closes gracefully: flushes, sends FIN, waits for the peer's FIN, and aborts after `timeout`. Readers receive what
   * arrives in the meantime. While the socket is held, arriving bytes are dropped.
   *
   * @param options `timeout`: how long it may take in all, in milliseconds. 0 aborts at once, Infinity waits without
   * limit. Default: as long as there is progress, within `lingerTimeout` and `finTimeout`.
   * @returns Resolves to the report of how the connection ended. Never rejects.
   * @throws At the call: TypeError or RangeError for an invalid `timeout`.
   */
  close(options: { readonly timeout?: number | undefined } = {}): Promise<CloseReport> {
    checkOptions(options, '{ timeout: 1000 }');
    const { timeout } = options;
    if (timeout !== undefined) checkTimeout('timeout', timeout);
    return this.#connection.close(timeout);
  }

  /**
   * Gives back bytes that were read and not used. The next reader starts with them; subscribers that already received
   * them do not receive them again.
   *
   * @throws At the call: TypeError for anything but a `Uint8Array`.
   */
  unshift(bytes: Uint8Array): void {
    checkBytes('bytes', bytes);
    this.#connection.unread(bytes);
  }

  /**
   * Pulls the bytes one chunk at a time. The peer waits while you do not pull. The iteration ends at the peer's FIN and
   * throws what the socket fails with.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return iterate(this.#connection.bytes, 0);
  }

  /** Closes gracefully at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * The number of the socket, which tells it apart from all other sockets and servers of this process. It is given when
   * somebody asks for it, and never changes.
   */
  get id(): number {
    return idOf(this);
  }

  /**
   * The state: `idle`, `resolving`, `connecting`, `securing`, `open`, `readOnly` (our FIN was sent), `writeOnly` (the
   * peer's FIN came), `closing` or `closed`.
   */
  get readyState(): ReadyState {
    return this.#connection.readyState;
  }

  /**
   * The current `readyState`, then every change. Completes after `closed`, also if the socket fails. A subscription
   * neither dials, nor reads, nor keeps the socket open.
   */
  get readyStates(): Observable<ReadyState> {
    return this.#connection.readyStates;
  }

  /** What carries the bytes: `tcp`, `tls`, `unix`, or `duplex` for a stream that was given to `fromDuplex`. */
  get type(): TransportType {
    return this.#connection.type;
  }

  /** The local endpoint; `undefined` until the connection is open. */
  get local(): Endpoint | undefined {
    return this.#connection.opening.local;
  }

  /**
   * The peer's endpoint; `undefined` until the connection is open. Behind a proxy that a server with `proxyProtocol`
   * trusts, the endpoint of the proxy's client.
   */
  get remote(): Endpoint | undefined {
    return this.#connection.opening.remote;
  }

  /** What the proxy before this connection has said in its PROXY header: see the option `proxyProtocol` of a server. */
  get proxied(): Proxied | undefined {
    return this.#connection.opening.proxied;
  }

  /** How many bytes were received, delivered or not. */
  get bytesRead(): number {
    return this.#connection.bytesRead;
  }

  /** How many bytes were handed to the kernel. */
  get bytesWritten(): number {
    return this.#connection.writeSide.written;
  }

  /** How many received bytes wait for a reader: the socket is held, or nobody reads it. */
  get readableLength(): number {
    return this.#connection.readableLength;
  }

  /** How many bytes wait to be handed to the kernel. */
  get writableLength(): number {
    return this.#connection.writeSide.pending;
  }

  /** When the connection opened, in milliseconds since the epoch of the scheduler's clock. */
  get openedAt(): number | undefined {
    return this.#connection.opening.openedAt;
  }

  /** When bytes last arrived, on the same clock as `openedAt`. */
  get lastReadAt(): number | undefined {
    return this.#connection.lastReadAt;
  }

  /** When bytes were last handed to the kernel, on the same clock as `openedAt`. */
  get lastWriteAt(): number | undefined {
    return this.#connection.lastWriteAt;
  }

  /**
   * The holders of the socket, each with the time at which its hold began. While `traceHolds()` of
   * `@rxsock/core/diagnostics` is on, also with its stack.
   */
  get holders(): readonly Holder[] {
    return this.#connection.flow.holders;
  }

  /** Whether our side stays open after the peer's FIN. You may change it at any time before the FIN. */
  get allowHalfOpen(): boolean {
    return this.#connection.allowHalfOpen;
  }

  set allowHalfOpen(allow: boolean) {
    this.#connection.allowHalfOpen = allow;
  }

  /** @internal One line for logs. A depth that is asked for, as `{ depth: 1 }`, adds the properties. */
  [inspect.custom](depth: number | null, options: InspectOptions): string {
    return inspected('Socket', this, depth, options, () => ({
      target: this.#connection.opening.scene.target,
      role: this.#connection.role,
      more: () => plainProperties(this),
    }));
  }
}

export { controlOf };

const COMPLETIONS = {
  complete: 'Written after complete(): the bytes were not sent',
  close: 'Written after close(): the bytes were not sent',
  leaving: 'Written after the last subscriber left, which closed the socket: the bytes were not sent; see keepOpen',
  peer: "Written after the peer's FIN, which completed our side too: the bytes were not sent; see allowHalfOpen",
};

/** The error of a write after the write side was completed. */
export function writeAfterEndError(socket: Socket): SocketError {
  const { local, remote } = socket;
  const message = COMPLETIONS[controlOf(socket).completedBy ?? 'complete'];
  return new SocketError(message, { code: 'ERR_STREAM_WRITE_AFTER_END', phase: 'write', local, remote });
}
