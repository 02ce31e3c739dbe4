// ChunkWriter: the subscriber that writes a source of chunks to a socket. It holds the source while the socket is full.
import { type Chunk, toBytes } from '../base/bytes.js';
import { NEXT_TURN } from '../base/turn-budget.js';
import { FlowSet } from '../flow/flow-set.js';
import { FlowLink } from '../flow/flow-subscriber.js';
import { Brake } from '../flow/holds.js';
import { controlOf, type Socket } from '../socket.js';
import { WholeWrite, type WholeWriteHandlers } from './whole-write.js';

/**
 * The subscription to the source ends with the source. The write goes on until it is whole; `stop()` aborts it.
 */
export abstract class ChunkWriter extends FlowLink<Chunk> implements WholeWriteHandlers {
  readonly socket: Socket;
  #write: WholeWrite | undefined;
  #brake: Brake | undefined;

  constructor(socket: Socket) {
    super(undefined, new FlowSet());
    this.socket = socket;
  }

  /** Whether FIN follows the last byte. */
  protected abstract readonly end: boolean;
  /** The source or the write has failed. Called at most once for the write. */
  abstract failed(error: unknown): void;
  /** Bytes were written, or have left. @param bytesSent How many have left in all. */
  protected emitProgress?(bytesSent: number): void;
  /** Everything was written, and FIN was sent if it is to be. */
  protected abstract done(): void;

  /** Begins to write. If the socket is broken, this calls `failed` at once. Subscribe to a source afterwards. */
  protected begin(): void {
    this.#write = new WholeWrite(this.socket, this);
    this.context = this.#write;
  }

  /** How many bytes have left. */
  get bytesSent(): number {
    return this.#write?.bytesSent ?? 0;
  }

  /** Ends the subscription to the source. If the write is not whole, this aborts the connection. */
  stop(): void {
    this.#write?.close();
    this.unsubscribe();
  }

  // ---- WholeWriteHandlers

  get progressed(): ((bytesSent: number) => void) | undefined {
    return this.emitProgress;
  }

  drained(bytesSent: number): void {
    this.emitProgress?.(bytesSent);
    this.#brake?.off();
  }

  // ---- Subscriber

  protected override _next(chunk: Chunk): void {
    const write = this.#write;
    if (!write) return;
    try {
      if (!write.write(toBytes(chunk))) this.#holdSource();
      this.emitProgress?.(write.bytesSent);
    } catch (error) {
      this.failed(error);
    }
  }

  #holdSource(): void {
    const control = controlOf(this.socket);
    this.#brake ??= new Brake(this.flows as FlowSet, () => (control.writeSide.waitsForTurn ? NEXT_TURN : 'writeTo'));
    this.#brake.on();
  }

  protected override _error(error: unknown): void {
    try {
      this.#write?.cut(error, () => this.failed(error));
    } finally {
      this.unsubscribe();
    }
  }

  protected override _complete(): void {
    try {
      this.#write?.finish(this.end, () => {
        this.emitProgress?.(this.bytesSent);
        this.done();
      });
    } finally {
      this.unsubscribe();
    }
  }
}
