// A write that must arrive whole. It ends with its last byte and FIN, or the connection is aborted: the peer never
// takes a part for the whole. Everything that writes more than one chunk is built on it.
//
//   writing ──finish()──▶ finishing ──FIN sent, or all flushed──▶ finished
//      │                      └── the socket fails ──▶ failed
//      └── the socket fails ──▶ failed;  cut(), or close() before finish() ──▶ cut: the connection is aborted
//
// A chunk for which the memory budget has no room waits here until `drain`, and so does finish().
import { AsyncContext } from '../base/async-context.js';
import { type Deferred, deferred } from '../base/deferred.js';
import type { CloseEvent, SocketEvent } from '../base/events.js';
import { guarded } from '../base/guarded.js';
import { handled } from '../base/handled.js';
import { prematureCloseError } from '../base/premature-close.js';
import type { SocketControl } from '../engine/control.js';
import type { Watcher } from '../engine/subscriber-entry.js';
import { controlOf, type Socket, writeAfterEndError } from '../socket.js';

/** Whether a transfer completes the write side. Options of {@link writeTo}, {@link through} and the like. */
export interface EndOptions {
  /**
   * Whether the write side is completed, which sends FIN, when the source completes.
   * @defaultValue `true`
   */
  readonly end?: boolean | undefined;
}

/** The progress of a transfer. */
export interface WriteProgress {
  /** How many bytes of this transfer were handed to the kernel so far. */
  readonly bytesSent: number;
}

/** What a whole write reports. */
export interface WholeWriteHandlers {
  /** The socket failed or closed before the write was finished. Called at most once. */
  failed(error: unknown): void;
  /** Bytes have left. @param bytesSent How many bytes of this write were handed to the kernel so far. */
  readonly progressed?: ((bytesSent: number) => void) | undefined;
  /** Everything has left, after `write` had returned `false`. */
  drained?(bytesSent: number): void;
}

/** Is its own context: the handlers run in that of the code that made the write, whoever breaks the socket. */
export class WholeWrite extends AsyncContext implements Watcher {
  #state: 'writing' | 'finishing' | 'finished' | 'failed' | 'cut' = 'writing';
  #closed = false;
  readonly #socket: Socket;
  readonly #control: SocketControl;
  readonly #handlers: WholeWriteHandlers;
  /** Returns why nothing more can be written: set when the write has failed, or was cut or closed. */
  #whyOver: (() => unknown) | undefined;
  /** What `ready()` waits for: the next `drain`. */
  #drain: Deferred | undefined;
  /** The chunk for which the memory budget has no room, and what to do when it is written. */
  #chunk: Uint8Array | undefined;
  #afterChunk: (() => void) | undefined;
  /** Called when FIN was sent. */
  #done: (() => void) | undefined;
  /** How many bytes were written, and how many of them have left. */
  #written = 0;
  #sent = 0;

  /** Dials, and keeps the socket open without reading it. If the socket is broken already, calls `failed` at once. */
  constructor(socket: Socket, handlers: WholeWriteHandlers) {
    super();
    this.#socket = socket;
    this.#control = controlOf(socket);
    this.#handlers = handlers;
    this.#control.beginWrite(this);
  }

  // ---- Watcher

  notify({ type }: SocketEvent): void {
    if (type === 'drain') this.runInAsyncScope(guarded, undefined, () => this.#drained());
    else if (type === 'finish') this.#finished();
  }

  closed(_event: CloseEvent, error: unknown): void {
    if (this.#isOpen) this.broken(error ?? prematureCloseError('write'));
  }

  progressed(): void {
    if (this.#handlers.progressed) this.runInAsyncScope(() => this.#handlers.progressed?.(this.bytesSent));
  }

  broken(error: unknown): void {
    if (!this.#isOpen) return;
    this.#state = 'failed';
    this.#giveUp(() => error);
    this.runInAsyncScope(() => this.#handlers.failed(error));
  }

  #giveUp(why: () => unknown): void {
    this.#whyOver ??= why;
    this.#drain?.reject(why());
  }

  get #isOpen(): boolean {
    return this.#state === 'writing' || this.#state === 'finishing';
  }

  /** How many bytes of this write were handed to the kernel. */
  get bytesSent(): number {
    // Other code may write to the socket too, so not all of `writableLength` is ours, and it may grow.
    this.#sent = Math.max(this.#sent, this.#written - this.#socket.writableLength);
    return this.#sent;
  }

  /**
   * Writes bytes.
   * @returns `false` at or over the socket's `highWaterMark`, or if the memory budget is full: wait for `drained`.
   * @throws SocketError `ERR_STREAM_WRITE_AFTER_END` if the write side was completed by somebody else.
   */
  write(bytes: Uint8Array): boolean {
    // A source that cannot be held: there is no place for a second chunk.
    if (this.#chunk) this.#writeChunk(this.#chunk);
    else if (!this.#control.writeSide.hasRoomFor(bytes.length)) {
      this.#chunk = bytes;
      return false;
    }
    return this.#writeNow(bytes);
  }

  #writeNow(bytes: Uint8Array): boolean {
    const { state } = this.#control.writeSide;
    if (state === 'completing' || state === 'finished') throw writeAfterEndError(this.#socket);
    this.#written += bytes.length;
    return this.#socket.next(bytes);
  }

  #writeChunk(chunk: Uint8Array): boolean {
    this.#chunk = undefined;
    const hasRoom = this.#writeNow(chunk);
    this.#afterChunk?.();
    return hasRoom;
  }

  #drained(): void {
    try {
      const chunk = this.#chunk;
      // Another writer of this socket may have used the room.
      if (chunk && !(this.#control.writeSide.hasRoomFor(chunk.length) && this.#writeChunk(chunk))) return;
    } catch (error) {
      return this.cut(error, () => this.#handlers.failed(error));
    }
    this.#handlers.drained?.(this.bytesSent);
    this.#drain?.resolve();
    this.#drain = undefined;
  }

  /** Settles when everything written so far was handed to the kernel. You may ignore the promise. */
  flushed(): Promise<void> {
    return this.#chunk ? handled(this.ready()) : this.#control.writeSide.flushed();
  }

  /**
   * Settles when everything written so far was handed to the kernel and the socket takes more: a memory budget may make
   * it wait.
   */
  async ready(): Promise<void> {
    await this.#control.writeSide.flushed();
    while (this.#chunk || this.#control.writeSide.waitsForDrain) {
      // It may have failed since the promise settled: then no drain comes.
      if (this.#whyOver) throw this.#whyOver();
      this.#drain ??= deferred();
      await this.#drain.promise;
      await this.#control.writeSide.flushed();
    }
  }

  /**
   * The last byte was written. Calls `done` when FIN was sent, or with `end: false` when everything was flushed. From
   * now on `close()` does not abort: the write is whole.
   */
  finish(end: boolean, done: () => void): void {
    if (this.#state !== 'writing') return;
    if (this.#chunk) {
      this.#afterChunk = () => this.finish(end, done);
      return;
    }
    this.#state = 'finishing';
    this.#done = done;
    if (!end) {
      const finished = () => this.#finished();
      this.#control.writeSide.flushed().then(finished, (error) => this.broken(error));
    } else if (this.#control.writeSide.state === 'finished') {
      this.#finished();
    } else {
      this.#socket.complete();
    }
  }

  #finished(): void {
    if (this.#state !== 'finishing' || this.#closed) return;
    this.#state = 'finished';
    this.runInAsyncScope(guarded, undefined, () => this.#done?.());
  }

  /**
   * The source failed: aborts the connection.
   * @param notify Called first: whoever it notifies receives the cause before the consequence.
   */
  cut(reason: unknown, notify?: () => void): void {
    if (this.#state !== 'writing') return;
    this.#state = 'cut';
    notify?.();
    this.#giveUp(() => reason);
    this.#control.cut(reason);
    // After the abort: otherwise the peer's FIN would complete our side here, and the peer would take a part for the
    // whole.
    this.#control.endWrite();
  }

  /** Releases the socket. If the write is not whole, this aborts the connection. */
  close(reason?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#control.unwatch(this);
    // An error costs more than a connection: it is made only for somebody to see.
    const why = () => reason ?? new Error('the transfer was stopped before it was complete');
    this.#giveUp(why);
    if (this.#state === 'writing') this.cut(why());
    else if (this.#state !== 'cut') this.#control.endWrite();
  }
}
