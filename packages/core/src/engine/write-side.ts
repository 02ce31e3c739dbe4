// The write side: counts bytes, keeps what is written before the connection is open, gathers what is written in one turn,
// and answers for every write.
//
//   open ──complete()──▶ completing ──all handed over, FIN out──▶ finished
//     └───────────────────────┴── a write failed, or the socket did ──▶ broken

import type { SocketLimits } from './limits.js';
import type { NodeStream } from './node-stream.js';

/** What an outbox tells its connection. */
export interface WriteSideHandlers {
  /** Something left. */
  progress(): void;
  /** All has left, after `write` had answered `false`. */
  drained(): void;
}

/** Both in bytes. */
type WriteLimits = Pick<SocketLimits, 'highWaterMark' | 'maxWriteBuffer'>;

/** So many bytes are worth a system call of their own. */
const ENOUGH = 16 * 1024;

/** So many chunks go into one system call: IOV_MAX. */
const MOST_CHUNKS = 1024;

interface Receipt {
  /** Settles when this many bytes have left. */
  readonly at: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class WriteSide {
  state: 'open' | 'completing' | 'finished' | 'broken' = 'open';
  /** Whether bytes were lost that nobody waited for, so that nobody hears of it. */
  unheard = false;
  /** Why it broke. */
  error: unknown;
  readonly #highWaterMark: number;
  readonly #handlers: WriteSideHandlers;
  readonly #broken = new Set<(error: unknown) => void>();
  readonly #watchers = new Set<() => void>();
  #stream: NodeStream | undefined;
  /** What the stream has not got yet, and how many bytes that is. */
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  readonly #enough: number;
  #receipts: Receipt[] = [];
  #accepted = 0;
  #left = 0;
  #clogged = false;
  #ending = false;

  constructor({ highWaterMark, maxWriteBuffer }: WriteLimits, handlers: WriteSideHandlers) {
    this.#highWaterMark = highWaterMark;
    this.#handlers = handlers;
    this.#enough = Math.min(ENOUGH, highWaterMark, maxWriteBuffer);
  }

  /** Whether nothing more will leave. */
  get done(): boolean {
    return this.state === 'finished' || this.state === 'broken';
  }

  /** Bytes handed to the kernel. */
  get written(): number {
    // Below 0 while bytes wait that were in the stream before it came here.
    return Math.max(0, this.#left);
  }

  /** Bytes that were accepted and have not left; it never shrinks after a break. */
  get pending(): number {
    return this.#accepted - this.#left;
  }

  /** Takes bytes; answers whether there is room for more. */
  write(bytes: Uint8Array): boolean {
    this.#accepted += bytes.length;
    this.#keptBytes += bytes.length;
    const chunks = this.#kept.push(bytes);
    const enough = this.#keptBytes >= this.#enough || chunks === MOST_CHUNKS;
    if (enough || !this.#stream?.native) this.flush();
    else if (chunks === 1) process.nextTick(this.flush);
    const room = this.pending < this.#highWaterMark;
    if (!room) this.#clogged = true;
    return room;
  }

  /** Settles when all that has been accepted so far has left. */
  flushed(): Promise<void> {
    if (this.state === 'broken') return Promise.reject(this.error);
    if (this.pending === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#receipts.push({ at: this.#accepted, resolve, reject });
    });
  }

  /** The connection is open: what was kept goes out. */
  open(link: NodeStream): void {
    this.#stream = link;
    this.flush();
    this.wrote();
    this.#finish();
  }

  /**
   * What was kept goes out, as one: a system call costs more than what most calls of `write` write. Before anything else is
   * done to the stream, so that nobody can tell.
   */
  readonly flush = (): void => {
    if (this.#kept.length === 0 || !this.#stream || this.#stream.destroyed) return;
    const kept = this.#kept;
    this.#kept = [];
    this.#keptBytes = 0;
    this.#stream.write(kept);
    this.#count();
  };

  /** Sends FIN when all has left. */
  complete(): void {
    if (this.state !== 'open') return;
    this.state = 'completing';
    this.flush();
    this.#finish();
  }

  /** The stream has handed something over. */
  wrote(): void {
    if (this.state === 'broken' || !this.#stream || this.#stream.destroyed) return;
    const before = this.#left;
    this.#count();
    if (this.#left > before || this.pending === 0) {
      this.#handlers.progress();
      for (const tell of [...this.#watchers]) tell();
    }
    if (this.#clogged && this.pending === 0) {
      this.#clogged = false;
      this.#handlers.drained();
    }
    this.#finish();
  }

  /** FIN is out. */
  finished(): void {
    if (this.state === 'completing') this.state = 'finished';
  }

  /** Nothing can be written any more: all who wait hear why. */
  break(error: unknown): void {
    if (this.state === 'broken') return;
    this.flush();
    this.#count();
    const finished = this.state === 'finished';
    this.state = finished ? 'finished' : 'broken';
    this.error = error;
    this.unheard = this.pending > 0 && this.#receipts.length + this.#broken.size === 0;
    this.#kept = [];
    const receipts = this.#receipts;
    this.#receipts = [];
    for (const { reject } of receipts) reject(error);
    if (!finished) for (const tell of [...this.#broken]) tell(error);
  }

  /** Calls `tell` whenever bytes have left. The returned function takes it back. */
  onProgress(tell: () => void): () => void {
    this.#watchers.add(tell);
    return () => this.#watchers.delete(tell);
  }

  /** Calls `tell` when the write side breaks; at once if it has. The returned function takes it back. */
  onBroken(tell: (error: unknown) => void): () => void {
    if (this.state === 'broken') tell(this.error);
    else this.#broken.add(tell);
    return () => this.#broken.delete(tell);
  }

  #count(): void {
    // A destroyed stream counts what it dropped as written.
    if (!this.#stream || this.#stream.destroyed) return;
    this.#left = this.#accepted - this.#keptBytes - this.#stream.pending;
    while (this.#receipts[0] && this.#receipts[0].at <= this.#left) this.#receipts.shift()?.resolve();
  }

  #finish(): void {
    if (this.state !== 'completing' || this.#ending || !this.#stream || this.pending > 0) return;
    this.#ending = true;
    this.#stream.end();
  }
}
