// The Node stream beneath a connection: the only code that touches stream events. Its listeners are attached once and
// stay for as long as the stream lives, so that no 'error' is ever unhandled.
import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { Endpoints } from '../base/endpoint.js';
import type { SecureConnectEvent } from '../base/events.js';
import { setImmediate } from '../base/real-timers.js';
import { taps } from '../observe/byte-tap.js';
import { type DialEvent, onDialEvents } from './dial-events.js';
import { type Patcher, patcherOf, removePatches, setPatcher } from './node-internals.js';
import { disown, ownReads } from './read-memory.js';
import { secureConnectEvent } from './secure-connect.js';
import { shieldWrites } from './shielded-writes.js';
import { resetStream } from './stream-resets.js';
import { resumeTappedReads, stopTappedReads, tapReads } from './tapped-reads.js';
import { TlsWrites } from './tls-writes.js';
import { endpointsOf, type StreamTransport, type Transport } from './transport.js';

/** What a Node stream reports to its connection. */
export interface NodeStreamHandlers {
  dialProgressed(event: DialEvent): void;
  /** The stream is open. Its handshake begins now. */
  connected(): void;
  /** The stream carries the user's bytes now. */
  opened(): void;
  /** Returns whether to read on. */
  received(chunk: Buffer): boolean;
  /** Whether bytes that arrive now are used up at once. Default: no. */
  readonly borrows?: boolean;
  /** As `received`. The bytes are valid during the call only. */
  receivedLent?(chunk: Buffer): boolean;
  /** @param truncated Whether this only looks like an end: a TLS stream that was cut without close_notify. */
  ended(truncated: boolean): void;
  /** Bytes are about to be written. Called only while a byte tap is attached. */
  writes(chunks: readonly Uint8Array[]): void;
  wrote(): void;
  /** FIN was sent. */
  finished(): void;
  writeFailed(error: NodeJS.ErrnoException): void;
  failed(error: NodeJS.ErrnoException): void;
  closed(): void;
}

// All streams share these listeners: see Patcher.
function onError(this: Duplex, error: Error): void {
  (patcherOf(this) as NodeStream).streamFailed(this, error);
}

function onClose(this: Duplex): void {
  (patcherOf(this) as NodeStream).streamClosed(this);
}

function onFinish(this: Duplex): void {
  (patcherOf(this) as NodeStream).streamFinished();
}

export class NodeStream implements Patcher {
  #stream: Duplex;
  /**
   * Whether the stream leads to the kernel: each write then costs a system call, and the memory of a chunk may be
   * reused once `pending` is 0. Any other stream may keep the chunk.
   */
  isNetSocket: boolean;
  readonly #transport: Transport;
  readonly #handlers: NodeStreamHandlers;
  /** Removes the listeners that are not shared: `undefined` if there are none. */
  #removeListeners: (() => void)[] | undefined;
  /** Whether reads are tapped. Otherwise `'data'` events bring the bytes. */
  #isTapped = false;
  /** Whether a handshake is in progress: it reports its own failure, so events of the stream beneath are ignored. */
  #securing = false;
  /** Whether the first read is still to come, for which the memory is chosen: see read-memory.ts. */
  #choosesMemory = false;
  #reading = false;
  /** Whether a dial event is being delivered. */
  #inDialEvent = false;
  /** Whether the stream is being written to: what leaves at once needs no report. */
  #writing = false;
  #finishing = false;
  #tlsWrites: TlsWrites | undefined;
  isSecure = false;
  isConfirmingEnd = false;
  hasSeenEnd = false;
  ownsMemory = false;
  unpatched: Patcher['unpatched'];

  constructor(stream: Duplex, transport: Transport, handlers: NodeStreamHandlers) {
    this.#stream = stream;
    this.isNetSocket = stream instanceof net.Socket;
    this.#transport = transport;
    this.#handlers = handlers;
  }

  /** The Duplex. During a handshake, the one beneath it. */
  get duplex(): Duplex {
    return this.#stream;
  }

  /**
   * Attaches the listeners.
   * @param readyEvent The event after which the stream is open; `undefined` if it is open now.
   */
  start(readyEvent?: StreamTransport['readyEvent']): void {
    const { secure } = this.#transport;
    const stream = this.#stream;
    if (secure) this.#guard(stream);
    else this.#carry(stream);
    if (!readyEvent) return this.#onReady();
    onDialEvents(
      (event) => this.#dialProgressed(event),
      (event, listener) => this.#listen(stream, event, listener),
    );
    this.#listen(stream, readyEvent, () => this.#onReady());
  }

  #onReady(): void {
    if (this.#transport.secure) this.#secure();
    else this.#handlers.opened();
  }

  // Node is in the middle of dialling and does not expect the stream to be destroyed now: see reset().
  #dialProgressed(event: DialEvent): void {
    this.#inDialEvent = true;
    try {
      this.#handlers.dialProgressed(event);
    } finally {
      this.#inDialEvent = false;
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
        this.isNetSocket = stream instanceof net.Socket;
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

  /** Reads from and writes to this stream from now on. */
  #carry(stream: Duplex): void {
    if ('encrypted' in stream) this.#tlsWrites = new TlsWrites(stream);
    this.#isTapped = tapReads(stream, this);
    this.#choosesMemory = this.#isTapped && !this.isSecure;
    if (!this.#isTapped) this.#readByEvents(stream);
    shieldWrites(stream, this);
    stream.on('finish', onFinish);
    this.#guard(stream);
    this.#replay(stream);
  }

  #guard(stream: Duplex): void {
    setPatcher(stream, this);
    stream.on('error', onError);
    stream.on('close', onClose);
  }

  #listen<A extends unknown[]>(stream: Duplex, event: string, listener: (...args: A) => void): void {
    stream.on(event, listener as never);
    this.#removeListeners ??= [];
    this.#removeListeners.push(() => stream.off(event, listener as never));
  }

  // ---- what the streams report

  onChunk(chunk: Buffer): boolean {
    this.#reading = this.#handlers.received(chunk);
    return this.#reading;
  }

  get lends(): boolean {
    return this.#handlers.borrows === true;
  }

  onLentChunk(chunk: Buffer): boolean {
    this.#reading = this.#handlers.receivedLent?.(chunk) === true;
    return this.#reading;
  }

  onEnd(truncated: boolean): void {
    this.#handlers.ended(truncated);
  }

  onWritten(): void {
    if (!this.#writing) this.#handlers.wrote();
  }

  onWriteError(error: Error): void {
    this.#handlers.writeFailed(error);
  }

  streamFailed(stream: Duplex, error: Error): void {
    if (!this.#isCurrent(stream)) return;
    this.#handlers.failed(error);
    // Node destroys the stream itself, except after a TLS alert.
    resetStream(stream);
  }

  streamClosed(stream: Duplex): void {
    disown(this);
    if (this.#isCurrent(stream)) this.#handlers.closed();
  }

  streamFinished(): void {
    this.#finishing = false;
    this.#handlers.finished();
  }

  #isCurrent(stream: Duplex): boolean {
    return this.#stream === stream && !this.#securing;
  }

  // A stream that somebody else has used may have emitted these events before the listeners were attached.
  #replay({ errored, readableEnded, closed }: Duplex): void {
    if (!errored && !readableEnded && !closed) return;
    queueMicrotask(() => {
      if (readableEnded) this.#handlers.ended(false);
      if (errored) this.#handlers.failed(errored);
      if (closed) this.#handlers.closed();
    });
  }

  // The documented way to read: 'data' and 'end', pause() and resume().
  #readByEvents(stream: Duplex): void {
    stream.pause();
    this.#listen(stream, 'data', (chunk: Buffer) => {
      if (!this.onChunk(chunk)) stream.pause();
    });
    this.#listen(stream, 'end', () => this.onEnd(false));
  }

  get endpoints(): Endpoints {
    return endpointsOf(this.#transport, this.#stream);
  }

  /** What the TLS handshake agreed on; `undefined` for a plain stream. */
  get secured(): SecureConnectEvent | undefined {
    return secureConnectEvent(this.#stream);
  }

  /** Detaches from the Duplex and returns it. Returns `undefined` if it holds received bytes already. */
  detach(): Duplex | undefined {
    const stream = this.#stream;
    if (stream.readableLength > 0 || stream.destroyed) return undefined;
    disown(this);
    for (const remove of this.#removeListeners ?? []) remove();
    stream.off('error', onError).off('close', onClose).off('finish', onFinish);
    removePatches(stream, this.#isTapped);
    return stream;
  }

  /** Whether bytes go to the kernel as they are. */
  get isPlain(): boolean {
    return this.isNetSocket && this.#tlsWrites === undefined;
  }

  get destroyed(): boolean {
    return this.#stream.destroyed;
  }

  /** How many bytes wait in the stream; 0 means that all were handed to the kernel. */
  get pending(): number {
    return this.#stream.writableLength + (this.#tlsWrites?.waiting ?? 0);
  }

  /** Reads until `received` returns `false`. */
  read(): void {
    if (this.#reading || this.#stream.destroyed) return;
    if (this.#choosesMemory) {
      this.#choosesMemory = false;
      ownReads(this.#stream);
    }
    this.#reading = true;
    if (this.#isTapped) resumeTappedReads(this.#stream);
    else this.#stream.resume();
  }

  /** Stops in the middle of a read too, and before Node starts to read on its own, when a connection opens. */
  stopReading(): void {
    this.#reading = false;
    this.#stream.pause();
    if (this.#isTapped) stopTappedReads(this.#stream);
  }

  /**
   * Writes the chunks as one. Returns how many bytes wait in the stream. Unless it is 0, `wrote` follows when they were
   * handed to the kernel.
   */
  write(chunks: readonly Uint8Array[]): number {
    if (taps.length > 0) this.#handlers.writes(chunks);
    // A callback costs a tick. Writes that are shielded report themselves.
    const onWrite = this.unpatched ? undefined : () => this.#handlers.wrote();
    this.#writing = true;
    try {
      if (this.#tlsWrites?.fits(chunks) === false) this.#tlsWrites.write(chunks, onWrite);
      else this.#writeAll(this.#stream, chunks, onWrite);
    } finally {
      this.#writing = false;
    }
    return this.pending;
  }

  #writeAll(stream: Duplex, chunks: readonly Uint8Array[], onWrite: (() => void) | undefined): void {
    const last = chunks.length - 1;
    if (last > 0) stream.cork();
    for (let i = 0; i <= last; i++) stream.write(chunks[i], i === last ? onWrite : undefined);
    if (last > 0) stream.uncork();
  }

  /** Sends FIN. `finished` follows. */
  end(): void {
    const stream = this.#stream;
    this.#finishing = true;
    // Somebody else ended the stream before: it does not emit 'finish' again.
    if (stream.writableFinished) queueMicrotask(() => this.streamFinished());
    // In the turn that ends a TLS 1.3 handshake, Node's server would send no close_notify.
    else if ('encrypted' in stream) setImmediate(() => stream.end());
    else stream.end();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  /**
   * Ends with a reset, so that the peer cannot take it for a FIN. If FIN was sent, all bytes were, and it only closes.
   */
  reset(): void {
    if (this.#inDialEvent) process.nextTick(() => this.reset());
    else if (this.#finishing) this.#stream.destroy();
    else resetStream(this.#stream);
  }
}
