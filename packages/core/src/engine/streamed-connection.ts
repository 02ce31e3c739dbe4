// What the dial and the Node stream of a connection report: see connection-machine.ts.
import type { Duplex } from 'node:stream';
import type { SocketError } from '../base/errors.js';
import { isLocalDecision } from '../base/local-decision.js';
import { performance } from '../base/real-timers.js';
import { spendRead } from '../base/turn-budget.js';
import { taps } from '../observe/byte-tap.js';
import {
  handshakeBegins,
  publishError,
  publishOpen,
  tapReceived,
  tapReceivedEnd,
  tapSent,
  tapSentEnd,
} from '../observe/socket-events.js';
import { truncatedError, writeError } from './connection-errors.js';
import { ConnectionMachine } from './connection-machine.js';
import type { DialEvent } from './dial-events.js';
import { NodeStream, type NodeStreamHandlers } from './node-stream.js';
import { setOwner } from './owners.js';
import { resetStream } from './stream-resets.js';
import type { DialHandlers, StreamTransport } from './transport.js';
import { applyTuning, type StreamTuning } from './tuning.js';

export abstract class StreamedConnection extends ConnectionMachine implements DialHandlers, NodeStreamHandlers {
  /** Bytes that came during the dial: they follow `connect`, whose subscribers may pass the stream on. */
  protected early: Buffer | undefined;
  /** What `tune()` asked for before the stream was open. */
  #tuning: StreamTuning | undefined;

  /** Changes settings of the Node stream: at once if it is open, otherwise when it opens. */
  tune(tuning: StreamTuning): void {
    if (this.life === 'open' && this.stream) applyTuning(this.stream.duplex, tuning);
    else this.#tuning = { ...this.#tuning, ...tuning };
  }

  // ---- until it is open

  dialProgressed(event: DialEvent): void {
    this.opening.dialProgressed(event);
    this.notifyState();
  }

  dialled(stream: Duplex, received: Buffer = Buffer.alloc(0)): void {
    this.dialling = undefined;
    if (received.length > 0 && this.transport.secure) return this.#refusePlaintext(stream);
    this.early = received.length > 0 ? received : undefined;
    this.carry(stream);
    const { early } = this;
    this.early = undefined;
    if (early) this.received(early);
  }

  // Whoever stands between could put bytes of its own in front of the handshake.
  #refusePlaintext(stream: Duplex): void {
    resetStream(stream);
    this.failed(Object.assign(new Error('bytes came before the TLS handshake'), { code: 'ERR_PLAINTEXT_LEFT' }));
    this.closed();
  }

  protected carry(stream: Duplex, readyEvent?: StreamTransport['readyEvent']): void {
    this.stream = new NodeStream(stream, this.transport, this);
    if (this.stream.isNetSocket) this.flow.isRealTime = true;
    setOwner(stream, this);
    this.stream.start(readyEvent);
  }

  connected(): void {
    if (!this.#isOpening || !this.stream) return;
    handshakeBegins(this, this.limits.scheduler);
    this.timeouts.stop('connect');
    this.timeouts.start('handshake');
    this.opening.connected(this.stream);
    this.notifyState();
  }

  // After a failure the stream may still report what is on its way.
  get #isOpening(): boolean {
    return this.life === 'opening' && !this.outcome.failure;
  }

  opened(): void {
    if (!this.#isOpening || !this.stream) return;
    this.life = 'open';
    if (this.#tuning) applyTuning(this.stream.duplex, this.#tuning);
    this.timeouts.stop('connect');
    this.timeouts.stop('handshake');
    if (!this.flow.held && !this.timeouts.hasCloseLimit) this.timeouts.start('idle');
    this.opening.opened(this.stream, this.limits.scheduler);
    publishOpen(this);
    this.opening.emitOpened(this.stream);
    if (this.isClosed) return;
    this.writeSide.open(this.stream);
    if (!this.timeouts.hasCloseLimit) this.writeRate?.wrote();
    this.advance();
  }

  // ---- bytes and FIN of the peer

  received(chunk: Buffer): boolean {
    if (taps.length > 0) tapReceived(this, chunk);
    this.bytesRead += chunk.length;
    this.lastReadAt = this.limits.scheduler.now();
    // Before our FIN, only what the peer takes is progress. What nobody reads is none: the peer could keep the socket with
    // a byte now and then.
    const isRead = this.subscribers.hasReader && !this.closing;
    this.timeouts.touchRead(this.writeSide.done, this.writeSide.state === 'broken' || isRead);
    this.readSide.receive(chunk);
    const start = performance.now();
    this.advance();
    this.readSide.keep(chunk);
    // The peer may be faster than the consumer: Node reads up to 32 chunks in one turn.
    if (this.stream?.isNetSocket && !spendRead(start)) this.readNextTurn();
    return this.wantsMore;
  }

  get borrows(): boolean {
    return this.readSide.borrows;
  }

  receivedLent(chunk: Buffer): boolean {
    // Others may come or leave during the delivery: this one was lent the bytes.
    const { borrower } = this.subscribers;
    const readsOn = this.received(chunk);
    this.readSide.copyWaiting(chunk);
    borrower?.keepRest?.();
    return readsOn;
  }

  ended(truncated: boolean): void {
    if (this.readSide.state !== 'flowing') return;
    this.opening.ended(this.limits.scheduler);
    if (truncated) {
      this.failed(truncatedError(this.opening.scene));
      this.stream?.reset();
      return;
    }
    // After a failed write, the kernel reports an end that the peer did not send. EPIPE and ENOTCONN are exceptions:
    // they say only that our own side is closed.
    const { failure } = this.outcome;
    if (failure && failure.code !== 'EPIPE' && failure.code !== 'ENOTCONN') {
      this.readSide.cut();
      this.stream?.destroy();
    } else {
      tapReceivedEnd(this);
      this.readSide.end();
      this.outcome.endedBy('peer', 'fin');
    }
    this.advance();
  }

  // ---- our bytes and our FIN

  writes(chunks: readonly Uint8Array[]): void {
    tapSent(this, chunks);
  }

  wrote(): void {
    this.writeSide.wrote();
  }

  finished(): void {
    tapSentEnd(this);
    this.writeSide.finished();
    this.timeouts.touch('fin');
    this.outcome.endedBy('local', 'fin');
    this.subscribers.emit({ type: 'finish' });
    this.advance();
  }

  // ---- failures and the end

  // Ends the write side only: what the peer has sent is delivered first, then the error.
  writeFailed(cause: NodeJS.ErrnoException): void {
    this.#failWith(writeError(cause, this.opening.scene), 'reset');
  }

  // The stream is destroyed. What was received before is still delivered.
  failed(cause: NodeJS.ErrnoException): void {
    this.opening.ended(this.limits.scheduler);
    this.readSide.cut();
    const error = this.opening.explain(cause);
    this.#failWith(error, error.name === 'ResetError' ? 'reset' : 'error');
  }

  // Not always by the peer: this side may have refused its certificate.
  #failWith(error: SocketError, how: 'reset' | 'error'): void {
    const by = isLocalDecision(error) ? 'local' : 'peer';
    if (this.outcome.failWith(error, by, how)) {
      this.writeSide.break(error);
      publishError(this, error);
    }
    this.advance();
  }

  closed(): void {
    this.streamClosed = true;
    this.advance();
  }
}
