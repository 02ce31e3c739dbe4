// The write side of a connection. It counts bytes, queues what is written before the connection is open, gathers what
// is written in one turn, and settles the promise of every write.
//
//   open ──complete()──▶ completing ──all handed to the kernel, FIN sent──▶ finished
//     └───────────────────────┴── a write failed, or the socket did ──▶ broken
import type { SocketLimits } from './limits.js';
import type { NodeStream } from './node-stream.js';

/** What a write side reports to its connection. */
export interface WriteSideHandlers {
  /** Bytes have left. */
  progressed(): void;
  /** All bytes have left, after `write` had returned `false`. */
  drained(): void;
}

type WriteLimits = Pick<SocketLimits, 'highWaterMark' | 'maxWriteBuffer'>;

/** From this many bytes on, a write is worth a system call of its own. */
const FLUSH_BYTES = 16 * 1024;

/** The most chunks that one system call takes: IOV_MAX. */
const FLUSH_CHUNKS = 1024;

/** A promise of `flushed()`: it settles when `at` bytes, counted from the start of the connection, have left. */
interface Receipt {
  readonly at: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class WriteSide {
  state: 'open' | 'completing' | 'finished' | 'broken' = 'open';
  /** Whether bytes were lost and nobody waited for them. */
  lostSilently = false;
  /** Why the write side broke. */
  error: unknown;
  readonly #highWaterMark: number;
  readonly #flushBytes: number;
  readonly #handlers: WriteSideHandlers;
  readonly #brokenListeners = new Set<(error: unknown) => void>();
  readonly #progressListeners = new Set<() => void>();
  #stream: NodeStream | undefined;
  /** Chunks that the Node stream has not received yet, and their bytes. */
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #receipts: Receipt[] = [];
  /** Bytes accepted and bytes handed to the kernel, counted from the start of the connection. */
  #accepted = 0;
  #left = 0;
  #clogged = false;
  #ending = false;

  constructor({ highWaterMark, maxWriteBuffer }: WriteLimits, handlers: WriteSideHandlers) {
    this.#highWaterMark = highWaterMark;
    this.#handlers = handlers;
    this.#flushBytes = Math.min(FLUSH_BYTES, highWaterMark, maxWriteBuffer);
  }

  /** Whether nothing more will leave. */
  get done(): boolean {
    return this.state === 'finished' || this.state === 'broken';
  }

  /** How many bytes were handed to the kernel. */
  get written(): number {
    // Negative while the stream still has to send bytes that were written to it before this connection had it.
    return Math.max(0, this.#left);
  }

  /** How many accepted bytes have not left. After a break this number stays. */
  get pending(): number {
    return this.#accepted - this.#left;
  }

  /** Accepts bytes. Returns whether there is room for more. */
  write(bytes: Uint8Array): boolean {
    this.#accepted += bytes.length;
    this.#gatheredBytes += bytes.length;
    const chunks = this.#gathered.push(bytes);
    const full = this.#gatheredBytes >= this.#flushBytes || chunks === FLUSH_CHUNKS;
    if (full || !this.#stream?.isNetSocket) this.flush();
    else if (chunks === 1) process.nextTick(this.flush);
    const hasRoom = this.pending < this.#highWaterMark;
    if (!hasRoom) this.#clogged = true;
    return hasRoom;
  }

  /** Settles when everything that was accepted so far has left. */
  flushed(): Promise<void> {
    if (this.state === 'broken') return Promise.reject(this.error);
    if (this.pending === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#receipts.push({ at: this.#accepted, resolve, reject });
    });
  }

  /** The connection is open: sends what was gathered. */
  open(stream: NodeStream): void {
    this.#stream = stream;
    this.flush();
    this.wrote();
    this.#sendFin();
  }

  /**
   * Hands the gathered chunks to the stream as one write: a system call costs more than most chunks do. It runs before
   * anything else is done to the stream, so that gathering cannot be observed.
   */
  readonly flush = (): void => {
    if (this.#gathered.length === 0 || !this.#stream || this.#stream.destroyed) return;
    const chunks = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#stream.write(chunks);
    this.#count();
  };

  /** Sends FIN when everything has left. */
  complete(): void {
    if (this.state !== 'open') return;
    this.state = 'completing';
    this.flush();
    this.#sendFin();
  }

  /** The stream has handed bytes to the kernel. */
  wrote(): void {
    if (this.state === 'broken' || !this.#stream || this.#stream.destroyed) return;
    const before = this.#left;
    this.#count();
    if (this.#left > before || this.pending === 0) {
      this.#handlers.progressed();
      for (const listener of [...this.#progressListeners]) listener();
    }
    if (this.#clogged && this.pending === 0) {
      this.#clogged = false;
      this.#handlers.drained();
    }
    this.#sendFin();
  }

  /** FIN was sent. */
  finished(): void {
    if (this.state === 'completing') this.state = 'finished';
  }

  /** Nothing can be written any more: rejects all promises and notifies the listeners. */
  break(error: unknown): void {
    if (this.state === 'broken') return;
    this.flush();
    this.#count();
    const finished = this.state === 'finished';
    this.state = finished ? 'finished' : 'broken';
    this.error = error;
    this.lostSilently = this.pending > 0 && this.#receipts.length + this.#brokenListeners.size === 0;
    this.#gathered = [];
    const receipts = this.#receipts;
    this.#receipts = [];
    for (const { reject } of receipts) reject(error);
    if (!finished) for (const listener of [...this.#brokenListeners]) listener(error);
  }

  /** Calls `listener` whenever bytes have left. The returned function removes it. */
  onProgress(listener: () => void): () => void {
    this.#progressListeners.add(listener);
    return () => this.#progressListeners.delete(listener);
  }

  /** Calls `listener` when the write side breaks; at once if it is broken. The returned function removes it. */
  onBroken(listener: (error: unknown) => void): () => void {
    if (this.state === 'broken') listener(this.error);
    else this.#brokenListeners.add(listener);
    return () => this.#brokenListeners.delete(listener);
  }

  #count(): void {
    // A destroyed stream counts dropped bytes as written.
    if (!this.#stream || this.#stream.destroyed) return;
    this.#left = this.#accepted - this.#gatheredBytes - this.#stream.pending;
    while (this.#receipts[0] && this.#receipts[0].at <= this.#left) this.#receipts.shift()?.resolve();
  }

  #sendFin(): void {
    if (this.state !== 'completing' || this.#ending || !this.#stream || this.pending > 0) return;
    this.#ending = true;
    this.#stream.end();
  }
}
