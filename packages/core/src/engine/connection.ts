// The state machine of one socket. Three independent parts:
//
//   life     idle ──dial──▶ opening ──ready──▶ open ──▶ closed            any of them ──failure──▶ closed
//   intake   flowing ──peer's FIN──▶ ended ──delivered──▶ told            flowing ──failure──▶ cut
//   outbox   open ──▶ completing ──▶ finished                             open, completing ──failure──▶ broken
//
// and `parting`, which is never taken back: leaving or closing, so that what nobody takes is dropped. Whatever happens
// changes one of these and calls `#advance`, which delivers what can be delivered and takes the next step: read on,
// destroy the stream, conclude. Nothing else does. `opening` knows the way in, `ending` why and how it is over.
import type { Duplex } from 'node:stream';
import type { Observable, Subscriber } from 'rxjs';
import { Deadline } from '../base/deadline.js';
import type { SocketError } from '../base/errors.js';
import type { CloseReport, SocketEvent } from '../base/events.js';
import { States } from '../base/states.js';
import { Holds } from '../flow/flow.js';
import { joinConsumer } from '../flow/flowable.js';
import {
  abortedError,
  closedError,
  destroyedError,
  overflowError,
  timeoutError,
  truncatedError,
  upgradeError,
  writeError,
} from './connection-errors.js';
import type { SocketLimits } from './limits.js';
import { NodeStream, type NodeStreamHandlers } from './node-stream.js';
import { Opening } from './opening.js';
import { Outcome } from './outcome.js';
import { own } from './owners.js';
import { ReadSide } from './read-side.js';
import { Subscribers } from './subscribers.js';
import { Timeouts } from './timeouts.js';
import type { Transport, TransportType } from './transport.js';
import { Departure } from './usage.js';
import { WriteSide } from './write-side.js';

/** See {@link Socket.readyState}. */
export type ReadyState =
  | 'idle'
  | 'resolving'
  | 'connecting'
  | 'securing'
  | 'open'
  | 'readOnly'
  | 'writeOnly'
  | 'closing'
  | 'closed';

/** How a connection comes about: dialled, or accepted, that is open from birth and paused until somebody claims it. */
export type Birth =
  | { readonly connectTimeout: number; readonly handshakeTimeout?: number }
  | { readonly claimTimeout: number; readonly unclaimed: () => void };

export class Connection {
  readonly flow = new Holds((held) => this.#heldChanged(held));
  readonly writeSide: WriteSide;
  readonly limits: SocketLimits;
  readonly opening: Opening;
  readonly outcome = new Outcome();
  allowHalfOpen: boolean;
  bytesRead = 0;
  lastReadAt: number | undefined;
  lastWriteAt: number | undefined;

  readonly #states = new States<ReadyState>('idle');
  #life: 'idle' | 'opening' | 'open' | 'closed' = 'idle';
  #parting = false;

  readonly #transport: Transport;
  readonly #subscribers: Subscribers;
  readonly #readSide: ReadSide;
  readonly #timeouts: Timeouts;
  readonly #claim: Deadline | undefined;
  readonly #usage: Departure;
  #stream: NodeStream | undefined;
  #streamClosed = false;
  #claimed: boolean;
  /** How many writes are going on that must be whole. */
  #unfinished = 0;
  #advancing = false;

  constructor(transport: Transport, limits: SocketLimits, birth: Birth) {
    const dialled = 'connectTimeout' in birth;
    this.#transport = transport;
    this.limits = limits;
    this.allowHalfOpen = limits.allowHalfOpen;
    this.#claimed = dialled;
    this.#subscribers = new Subscribers(limits.scheduler);
    this.#readSide = new ReadSide(this.#subscribers, this.flow, limits.scheduler, {
      told: () => this.#endWithPeer(),
      turned: () => this.#advance(),
    });
    this.writeSide = new WriteSide(limits, {
      progress: () => this.#progressed(),
      drained: () => this.#subscribers.emit({ type: 'drain' }),
    });
    this.#timeouts = new Timeouts(
      limits,
      dialled ? birth : {},
      (timeout, milliseconds, what) => this.#expired(timeout, milliseconds, what),
      () => this.#stream?.queued ?? 0,
    );
    this.opening = new Opening(transport, this.#subscribers, this.#timeouts);
    this.#usage = new Departure(limits);
    if (!dialled) {
      this.#claim = new Deadline(limits.scheduler, birth.claimTimeout, birth.unclaimed);
      this.#claim.start();
      this.#open();
      // Now that the stream is ours, for somebody has to end it.
      if (limits.signal?.aborted) this.#onSignal();
    }
  }

  get readyState(): ReadyState {
    if (this.#life === 'opening') return this.opening.step;
    if (this.#life !== 'open') return this.#life;
    const input = this.#readSide.state === 'flowing';
    const output = !this.writeSide.done;
    if (this.#parting || this.outcome.failure || !(input || output)) return 'closing';
    if (input && output) return 'open';
    return input ? 'readOnly' : 'writeOnly';
  }

  get readyStates(): Observable<ReadyState> {
    return this.#states.changes;
  }

  /** Whether another one has taken the stream over. */
  get upgraded(): boolean {
    return this.outcome.how === 'upgraded';
  }

  get type(): TransportType {
    return this.#transport.type;
  }

  /** Bytes received that wait to be delivered. */
  get readableLength(): number {
    return this.#readSide.bytes;
  }

  // ---- what users do

  /** Adds a reader, or a watcher of one type of event, until the subscriber leaves. */
  subscribe(subscriber: Subscriber<SocketEvent>, type?: SocketEvent['type']): void {
    if (this.#life === 'idle' && this.limits.signal?.aborted) this.#onSignal();
    this.#usage.cancel();
    const leave = this.#subscribers.add(subscriber, type);
    const release = joinConsumer(subscriber, this.flow);
    // Before anything is delivered: it may make the subscriber leave.
    subscriber.add(() => {
      leave();
      release();
      this.#memberLeft();
    });
    this.dial();
    this.claim();
  }

  /** Somebody wants this connection: it may read. */
  claim(): void {
    this.#claim?.stop();
    this.#claimed = true;
    this.#advance();
  }

  dial(): void {
    if (this.#life !== 'idle') return;
    if (this.limits.signal?.aborted) this.#onSignal();
    else this.#open();
  }

  /** Takes bytes to write; answers whether there is room for more. Past `maxWriteBuffer` the socket fails. */
  write(bytes: Uint8Array): boolean {
    if (this.writeSide.state !== 'open') return false;
    const { pending } = this.writeSide;
    const { maxWriteBuffer } = this.limits;
    if (pending <= maxWriteBuffer) return this.writeSide.write(bytes);
    this.fail(overflowError(pending, maxWriteBuffer, this.opening.scene), 'error');
    return false;
  }

  /**
   * Says that something is being written which must be whole: a FIN before its last byte would be a lie, so the peer's
   * does not complete our side until the returned function is called, whatever `allowHalfOpen` says.
   */
  beginWrite(): () => void {
    let running = true;
    this.#unfinished++;
    return () => {
      if (!running) return;
      running = false;
      this.#unfinished--;
      this.#endWithPeer();
    };
  }

  /** Whether the memory of bytes that were handed over may be used again. */
  get copiesWrites(): boolean {
    return this.#stream?.native ?? false;
  }

  complete(): void {
    this.writeSide.complete();
    this.dial();
    this.claim();
  }

  abort(reason: unknown): void {
    this.fail(abortedError(reason, this.opening.scene), 'abort');
  }

  /** Aborts because what was to be written is not whole; when FIN is out it is, and there is nothing to take back. */
  cut(reason: unknown): void {
    if (this.writeSide.state !== 'finished') this.abort(reason);
  }

  /** Gives bytes back: they come again, to those who have not seen them, and before the end. */
  unread(bytes: Uint8Array, by?: Subscriber<unknown>): void {
    if (this.#life === 'closed') return;
    this.#readSide.unread(bytes, by);
    this.#advance();
  }

  /** Flushes, sends FIN and waits for the peer's; drops what nobody takes meanwhile. */
  close(timeout: number): Promise<CloseReport> {
    if (timeout === 0) this.abort(new Error('it was closed with no time to wait'));
    const concluded = new Promise<CloseReport>((resolve) => this.outcome.afterClose(resolve));
    if (this.#life === 'closed') return concluded;
    if (this.#life === 'idle' && this.writeSide.pending === 0) {
      this.outcome.endedBy('local', 'fin');
      this.#conclude();
    } else {
      this.#timeouts.closeWithin(timeout);
      this.#part();
    }
    return concluded;
  }

  /**
   * Gives the stream away, and ends here. Nothing of it may be left behind: no bytes read and not used, nobody who might
   * have used some, no bytes to write.
   * @throws SocketError if something is.
   */
  detach(): Duplex {
    const refuse = (why: string, code: string) => upgradeError(why, code, this.opening.scene);
    if (this.readyState !== 'open') throw refuse(`it is ${this.readyState}, not open`, 'ERR_SOCKET_NOT_OPEN');
    if (this.writeSide.state !== 'open') throw refuse('complete() was called', 'ERR_SOCKET_NOT_OPEN');
    if (this.#subscribers.hasReader)
      throw refuse('somebody still reads it: let them leave first, and go on in the next turn', 'ERR_READER_EXISTS');
    this.writeSide.flush();
    if (this.writeSide.pending > 0) throw refuse('bytes wait to be written: await write() first', 'ERR_WRITES_PENDING');
    const stream = this.#readSide.hasUndelivered ? undefined : this.#stream?.detach();
    if (!stream) throw refuse('bytes have come that nobody has read', 'ERR_PLAINTEXT_LEFT');
    this.outcome.endedBy('local', 'upgraded');
    this.#parting = true;
    this.#conclude();
    return stream;
  }

  /** Ends the connection from this side with an error: input is dropped, and the peer sees a reset. */
  fail(error: SocketError, how: 'timeout' | 'abort' | 'error'): void {
    if (this.#life === 'closed') return;
    this.outcome.failWith(error, 'local', how);
    this.#readSide.drop();
    const flushed = this.writeSide.state === 'finished';
    this.writeSide.break(error);
    // When all is flushed and FIN is out, only the wait for the peer was cut short: nothing is to be taken back.
    if (!this.#stream) this.#streamClosed = true;
    else if (flushed && how === 'timeout') this.#stream.destroy();
    else this.#stream.reset();
    this.#advance();
  }

  // ---- what the link tells

  #open(): void {
    this.#life = 'opening';
    this.limits.signal?.addEventListener('abort', this.#onSignal, { once: true });
    this.#timeouts.connect.start();
    this.#stream = new NodeStream(this.#transport, this.#streamHandlers());
    own(this.#stream.stream, this);
    this.#stream.begin();
    this.#changed();
  }

  #streamHandlers(): NodeStreamHandlers {
    return {
      progress: (event) => {
        this.opening.progress(event);
        this.#changed();
      },
      connected: () => this.#connected(),
      opened: () => this.#opened(),
      received: (chunk) => this.#received(chunk),
      ended: (cut) => this.#ended(cut),
      wrote: () => this.writeSide.wrote(),
      finished: () => this.#finished(),
      writeFailed: (error) => this.#writeFailed(error),
      failed: (error) => this.#failed(error),
      closed: () => {
        this.#streamClosed = true;
        this.#advance();
      },
    };
  }

  #connected(): void {
    if (this.#life !== 'opening' || !this.#stream) return;
    this.opening.connected(this.#stream);
    this.#changed();
  }

  #opened(): void {
    if (this.#life !== 'opening' || !this.#stream) return;
    this.#life = 'open';
    if (!this.flow.held) this.#timeouts.idle.start();
    this.opening.opened(this.#stream, this.limits.scheduler.now());
    this.writeSide.open(this.#stream);
    this.#advance();
  }

  #received(chunk: Buffer): boolean {
    this.bytesRead += chunk.length;
    this.lastReadAt = this.limits.scheduler.now();
    this.#timeouts.idle.touch();
    this.#timeouts.linger.touch();
    this.#readSide.receive(chunk);
    this.#advance();
    return this.#wantsMore;
  }

  #ended(cut: boolean): void {
    if (this.#readSide.state !== 'flowing') return;
    if (cut) {
      this.#failed(truncatedError(this.opening.scene));
      this.#stream?.reset();
      return;
    }
    // A write that failed has used the error up: the end that the kernel answers after it is none. Except for these two,
    // which say that our side is closed, and nothing of the peer's.
    const { failure } = this.outcome;
    if (failure && failure.code !== 'EPIPE' && failure.code !== 'ENOTCONN') {
      this.#readSide.cut();
      this.#stream?.destroy();
    } else {
      this.#readSide.end();
      this.outcome.endedBy('peer', 'fin');
    }
    this.#advance();
  }

  #progressed(): void {
    this.lastWriteAt = this.limits.scheduler.now();
    this.#timeouts.idle.touch();
    this.#timeouts.linger.touch();
    this.#timeouts.halfOpen.touch();
  }

  #finished(): void {
    this.writeSide.finished();
    this.outcome.endedBy('local', 'fin');
    this.#subscribers.emit({ type: 'finish' });
    this.#advance();
  }

  // Closes the write side only: what the peer has sent is delivered first, then the error.
  #writeFailed(cause: NodeJS.ErrnoException): void {
    this.#failedBy(writeError(cause, this.opening.scene), 'reset');
  }

  // The stream is destroyed; what was received before is still to be delivered.
  #failed(cause: NodeJS.ErrnoException): void {
    this.#readSide.cut();
    const error = this.opening.explain(cause);
    this.#failedBy(error, error.name === 'ResetError' ? 'reset' : 'error');
  }

  #failedBy(error: SocketError, how: 'reset' | 'error'): void {
    if (this.outcome.failWith(error, 'peer', how)) this.writeSide.break(error);
    this.#advance();
  }

  // ---- the next step

  #changed(): void {
    this.#states.set(this.readyState);
    this.#states.notify();
  }

  #advance(): void {
    this.#changed();
    if (this.#advancing || this.#life === 'closed') return;
    this.#advancing = true;
    try {
      this.#readSide.deliver(this.#parting);
    } finally {
      this.#advancing = false;
    }
    const { writeSide } = this;
    if (this.#life === 'open' && this.#wantsMore) this.#stream?.read();
    if (this.#readSide.done && writeSide.done) this.#stream?.destroy();
    const flowing = this.#readSide.state === 'flowing';
    const idle = !this.#parting && !this.#readSide.dropping && !this.#subscribers.hasReader;
    this.#timeouts.fin.setRunning(flowing && writeSide.done && idle);
    // While held, a FIN that was noticed is not yet told: it is not our side that is late.
    this.#timeouts.halfOpen.setRunning(!flowing && !writeSide.done && !this.flow.held);
    if (this.#streamClosed) this.#concludeWhenDelivered();
  }

  #endWithPeer(): void {
    if (this.#readSide.state === 'told' && !this.allowHalfOpen && this.#unfinished === 0) this.writeSide.complete();
  }

  get #wantsMore(): boolean {
    return this.#claimed && this.#readSide.hasRoom(this.limits.highWaterMark);
  }

  #concludeWhenDelivered(): void {
    if (!this.#readSide.hasUndelivered) this.#conclude();
    // Nobody reads: by the next turn a next reader may have come for the rest.
    else if (!this.#subscribers.hasReader) this.#usage.planNextTurn(() => this.#conclude());
  }

  #conclude(): void {
    if (this.#life === 'closed') return;
    const { outcome, writeSide, opening } = this;
    const whole = this.#readSide.state === 'told' && writeSide.state === 'finished';
    if (this.#life === 'open' && !whole && !this.#parting && this.#subscribers.size > 0) {
      outcome.failWith(destroyedError(opening.scene), 'local', 'abort');
    }
    // Before anybody hears of it: nothing is left to be aborted.
    this.#life = 'closed';
    writeSide.break(outcome.failure ?? closedError(opening.scene));
    this.#timeouts.stop();
    this.#claim?.stop();
    this.#usage.cancel();
    this.limits.signal?.removeEventListener('abort', this.#onSignal);
    this.#readSide.clear();
    const report = outcome.conclude({
      bytesRead: this.bytesRead,
      bytesWritten: writeSide.written,
      bytesUnsent: writeSide.pending,
      duration: opening.openedAt === undefined ? 0 : this.limits.scheduler.now() - opening.openedAt,
    });
    // Lost bytes that nobody hears of, unless somebody wanted it so.
    const unheard = writeSide.unheard && this.#subscribers.size === 0 && outcome.how !== 'abort';
    if (outcome.failure && unheard) process.emitWarning(outcome.failure);
    this.#changed();
    this.#subscribers.close({ type: 'close', report }, outcome.failure);
    outcome.notifyClosed();
  }

  // ---- leaving

  #memberLeft(): void {
    this.#advance();
    if (this.#subscribers.size > 0 || this.#life === 'closed' || this.#parting) return;
    // What waits for a reader when all is over does so for one turn only.
    if (!this.#streamClosed) this.#usage.plan(() => this.#leave());
  }

  #leave(): void {
    this.#usage.cancel();
    if (this.#life === 'opening' && this.writeSide.pending === 0 && this.writeSide.state === 'open') {
      return this.abort(new Error('everybody had left before it was open'));
    }
    // After the peer's FIN an answer may still be on its way.
    if (this.#readSide.state === 'told' && this.allowHalfOpen && this.writeSide.state === 'open') return;
    this.#timeouts.linger.start();
    this.#part();
  }

  #part(): void {
    this.#parting = true;
    this.complete();
  }

  // ---- limits

  #heldChanged(held: boolean): void {
    if (held) {
      this.#timeouts.hold.start();
      this.#timeouts.idle.stop();
    } else {
      this.#timeouts.hold.stop();
      if (this.#life === 'open') this.#timeouts.idle.start();
    }
    this.#advance();
  }

  #expired(timeout: string, milliseconds: number, what: string): void {
    if (timeout === 'idleTimeout') this.#subscribers.emit({ type: 'timeout' });
    const holders = timeout === 'holdTimeout' ? ` by ${this.flow.holds.join(', ')}` : '';
    this.fail(timeoutError(timeout, milliseconds, what + holders, this.opening.scene), 'timeout');
  }

  readonly #onSignal = () => this.abort(this.limits.signal?.reason);
}
