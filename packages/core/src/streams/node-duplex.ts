// The Duplex that toDuplex() returns: passes on the bytes of a Socket in both directions, and ends as a net.Socket
// does.
import { Subscription } from 'rxjs';
import type { SecureConnectEvent } from '../base/events.js';
import { isLocalDecision } from '../base/local-decision.js';
import { setImmediate } from '../base/real-timers.js';
import { FlowSet } from '../flow/flow-set.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { Brake } from '../flow/holds.js';
import type { Socket } from '../socket.js';
import { watch } from '../transfer/watch.js';
import { WholeWrite } from '../transfer/whole-write.js';
import { NetDuplex } from './net-duplex.js';
import { TlsMembers } from './tls-members.js';

/** What a chunk costs in the stream beside its bytes. */
const CHUNK_COST = 128;

type Callback = (error?: Error | null) => void;

export class NodeDuplex extends NetDuplex {
  readonly #write: WholeWrite;
  readonly #flows = new FlowSet();
  readonly #brake = new Brake(this.#flows, 'toDuplex');
  readonly #reading: Subscription;
  readonly #watching = new Subscription();
  /** How many chunks were pushed since the consumer last took bytes, or asked for more than there were. */
  #unreadChunks = 0;
  #tls: TlsMembers | undefined;
  /** Whether a TLS handshake is in progress or still to come. */
  #securing: boolean;
  /** The callback of the pending write, and its bytes. */
  #pendingWrite: { readonly callback: Callback; readonly bytes: number } | undefined;
  #ended = { input: false, output: false };
  #failure: Error | undefined;

  constructor(socket: Socket) {
    super(socket);
    this.#securing = socket.readyState === 'securing' || (this.connecting && socket.type === 'tls');
    if (socket.type === 'tls') this.#tls = new TlsMembers(this);
    const fail = (error: unknown) => this.#fail(error as Error);
    const error = () => {};
    this.#watching.add(watch(socket, 'connect').subscribe({ error, next: () => this.connected() }));
    this.#watching.add(watch(socket, 'secureConnect').subscribe({ error, next: (event) => this.#secured(event) }));
    // For failures after the peer's FIN.
    this.#watching.add(watch(socket, 'close').subscribe({ error: fail }));
    this.#watching.add(this.control.writeSide.onProgress(() => this.active()));
    // If nobody reads, a failure of the write side is emitted at once. Otherwise it follows the bytes of the peer. That
    // the socket closes after its FIN is no failure, whoever completed it.
    const failed = (error: unknown) => {
      if (this.control.writeSide.state === 'finished') return;
      process.nextTick(() => this.readableFlowing === null && fail(error));
    };
    // Lasts until the stream is destroyed: at the peer's FIN, our side must not end before everything that waits in the
    // stream is written.
    this.#write = new WholeWrite(socket, { failed });
    const reader = new FlowSubscriber<Buffer>(
      undefined,
      {
        next: (chunk) => {
          this.active();
          const hasRoom = this.push(chunk);
          this.#unreadChunks++;
          if (!hasRoom || !this.#hasRoom) this.#brake.on();
        },
        error: fail,
        complete: () => {
          this.#ended.input = true;
          this.push(null);
        },
      },
      this.#flows,
    );
    this.#reading = reader;
    this.control.bytes.subscribe(reader);
  }

  protected override get waiting(): number {
    return this.writableLength - (this.#pendingWrite?.bytes ?? 0);
  }

  #secured(event: SecureConnectEvent): void {
    this.#tls ??= new TlsMembers(this);
    this.#tls.secured(event);
    if (!this.#securing || this.destroyed) return;
    this.#securing = false;
    this.emit('secureConnect');
  }

  // ---- reading

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    // Not at read(0): Node itself calls that.
    if (chunk !== null || (size !== 0 && !this.readableEnded)) {
      this.#unreadChunks = 0;
      if (this.#hasRoom) this.#brake.off();
    }
    if (this.#failure && this.readableLength === 0) process.nextTick(() => this.destroy(this.#failure));
    return chunk;
  }

  override _read(): void {
    if (this.#hasRoom) this.#brake.off();
  }

  /** Whether there is room for more. Without the cost of a chunk, single bytes would take many times their length. */
  get #hasRoom(): boolean {
    // A consumer in flowing mode has taken every chunk already.
    if (this.readableLength === 0) this.#unreadChunks = 0;
    return this.readableLength + this.#unreadChunks * CHUNK_COST < this.readableHighWaterMark;
  }

  // ---- writing

  override _write(bytes: Buffer, _encoding: string, callback: Callback): void {
    this.#writeAll([bytes], callback);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: Callback): void {
    this.#writeAll(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  // Flushes at once, so that a destroy() in the same turn already knows which bytes the kernel has taken.
  #writeAll(chunks: readonly Buffer[], callback: Callback): void {
    const { socket, control } = this;
    let hasRoom = true;
    let refused: Promise<void> | undefined;
    // One chunk may wait for the memory budget, and not several.
    for (const bytes of control.limits.budget && chunks.length > 1 ? [Buffer.concat(chunks)] : chunks) {
      if (control.writeSide.state === 'open') hasRoom = this.#write.write(bytes) && hasRoom;
      else refused = socket.write(bytes);
    }
    control.writeSide.flush();
    if (hasRoom && !refused && socket.writableLength === 0) return callback();
    this.#pendingWrite = { callback, bytes: chunks.reduce((sum, { length }) => sum + length, 0) };
    // If the write side breaks, the callback waits for _destroy(): the error follows the bytes that the peer has sent.
    (refused ?? this.#write.flushed()).then(
      () => this.#callBack(),
      (error) => control.writeSide.state === 'broken' || this.#callBack(error),
    );
  }

  #callBack(error?: Error): void {
    const pending = this.#pendingWrite;
    this.#pendingWrite = undefined;
    pending?.callback(error);
  }

  override _final(callback: Callback): void {
    const done = () => {
      this.#ended.output = true;
      callback();
    };
    // FIN may have been sent before this stream was made. A whole write fails when such a socket closes.
    if (this.control.writeSide.state === 'finished') done();
    else this.#write.finish(true, done);
  }

  // ---- the end

  override resetAndDestroy(): this {
    if (!this.destroyed) this.#abort(new Error('the stream was reset'));
    return this.destroy();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const reason = error ?? new Error('the stream was destroyed before its end');
    const { waiting } = this;
    const opening = this.connecting || this.#securing;
    this.stop();
    this.#reading.unsubscribe();
    this.#watching.unsubscribe();
    if (this.#failure || (this.#ended.input && this.#ended.output)) this.#write.close(reason);
    else if (error || opening || waiting > 0) this.#abort(reason);
    else this.#leave(reason);
    this.#callBack(reason);
    callback(error);
    process.nextTick(() => this.emit('close', error !== null));
  }

  #abort(reason: Error): void {
    this.socket.error(reason);
    this.#write.close(reason);
  }

  /** Ends with FIN if the kernel has taken everything that was written, and otherwise with a reset. */
  #leave(reason: Error): void {
    const end = () => {
      if (this.socket.writableLength > 0) return this.#abort(reason);
      this.#write.finish(false, () => {});
      this.socket.close();
      this.#write.close(reason);
    };
    // A TLS stream reports only at the end of the turn what the kernel has taken.
    if (this.socket.writableLength > 0) setImmediate(end);
    else end();
  }

  #fail(error: Error): void {
    this.#failure = error;
    // An error of this side overtakes the bytes that wait. What the peer did comes after them.
    const hasUnread = this.readableFlowing !== null && this.readableLength > 0;
    if (!hasUnread || isLocalDecision(error)) this.destroy(error);
  }
}
