// RecordedConnection: one end of a connection that records what it receives, and does only what a test tells it.
import type * as net from 'node:net';
import { checkInteger } from '../base/check.js';
import { UNPATCHED } from '../engine/node-internals.js';
import { resumeTappedReads, tapReads } from '../engine/tapped-reads.js';

/** How a connection ended: the other side sent a FIN or a reset, or this side gave up first. */
export type RecordedEnd = 'fin' | 'reset' | 'local';

/**
 * One connection of {@link recordingPeer} or {@link recordingClient}. It is a plain `net.Socket`, without the engine of
 * this library.
 *
 * **Half-close**: `finish()` sends FIN, and the connection is still read. The FIN of the other side is not answered.
 *
 * **Backpressure**: `pause()` stops reading, so that the other side must wait when the buffers of the system are full.
 */
export class RecordedConnection {
  readonly #stream: net.Socket;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #end: RecordedEnd | undefined;
  #paused = false;
  /** What came while the connection was paused: bytes, and `undefined` for a FIN. */
  #withheld: (Buffer | undefined)[] = [];
  /** What waits for bytes or for the end. */
  readonly #waiting = new Set<() => void>();
  readonly #readOn: () => void;

  /** @internal */
  constructor(stream: net.Socket) {
    this.#stream = stream;
    stream.on('error', () => this.#concludeWith('reset'));
    stream.on('close', () => this.#concludeWith('local'));
    stream.on('finish', () => this.#destroyIfDone());
    const onChunk = (chunk: Buffer): boolean => {
      this.#receive(chunk);
      return !this.#paused;
    };
    // Node alone may report a reset as an end.
    const onEnd = () => this.#receive(undefined);
    const isTapped = tapReads(stream, { ...UNPATCHED, onChunk, onEnd, onWriteError: () => {} });
    if (!isTapped) {
      stream.on('data', (chunk: Buffer) => onChunk(chunk) || stream.pause());
      stream.on('end', onEnd);
    }
    this.#readOn = () => (isTapped ? resumeTappedReads(stream) : void stream.resume());
    this.#readOn();
  }

  /** All bytes that were received. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** How the connection ended; `undefined` if it has not yet. */
  get end(): RecordedEnd | undefined {
    return this.#end;
  }

  /** Resolves when the connection has ended. A paused connection does not notice a FIN. */
  async ended(): Promise<RecordedEnd> {
    while (this.#end === undefined) await this.#nextChange();
    return this.#end;
  }

  /**
   * Resolves with all received bytes when there are at least `length` of them.
   *
   * @throws As a rejection: Error if the connection ends before; TypeError or RangeError for an invalid `length`.
   */
  async receivedBytes(length: number): Promise<Buffer> {
    checkInteger('length', length, 0);
    while (this.#length < length) {
      if (this.#end) throw new Error(`the connection ended (${this.#end}) after ${this.#length} bytes`);
      await this.#nextChange();
    }
    return this.received;
  }

  /** Sends bytes. Strings are sent as UTF-8. */
  send(bytes: Uint8Array | string): void {
    if (!this.#stream.destroyed) this.#stream.write(bytes);
  }

  /** Sends FIN after everything that was sent. */
  finish(): void {
    this.#stream.end();
  }

  /** Resets the connection. Unsent bytes are lost. A UNIX socket is closed, because it has no reset. */
  reset(): void {
    this.#concludeWith('local');
    // resetAndDestroy() throws for a pipe, which has no port.
    if (this.#stream.localPort === undefined) this.#stream.destroy();
    else this.#stream.resetAndDestroy();
  }

  /** Stops reading. Nothing is recorded any more, except a reset. Up to 64 KiB may already be on their way. */
  pause(): void {
    this.#paused = true;
  }

  /** Reads on. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    for (const item of this.#withheld.splice(0)) this.#receive(item);
    if (this.#end === undefined) this.#readOn();
  }

  #receive(chunk: Buffer | undefined): void {
    if (this.#paused) this.#withheld.push(chunk);
    else if (chunk) {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#notify();
    } else this.#concludeWith('fin');
  }

  #concludeWith(end: RecordedEnd): void {
    this.#end ??= end;
    this.#destroyIfDone();
    this.#notify();
  }

  // Both sides have ended. Node does not know about the other side's FIN.
  #destroyIfDone(): void {
    if (this.#end === 'fin' && this.#stream.writableFinished) this.#stream.destroy();
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #notify(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
