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
import type { SocketError } from '../errors.js';
import type { CloseReport, SocketEvent } from '../events.js';
import { Holds } from '../flow.js';
import { joinConsumer } from '../flowable.js';
import { Audience } from './audience.js';
import { Deadline } from './deadline.js';
import { Deadlines } from './deadlines.js';
import { Departure } from './departure.js';
import { Ending } from './ending.js';
import {
  abortedError,
  closedError,
  destroyedError,
  overflowError,
  timeoutError,
  truncatedError,
  upgradeError,
  writeError,
} from './failures.js';
import { Intake } from './intake.js';
import { Link, type LinkHandlers } from './link.js';
import { Opening } from './opening.js';
import type { SocketLimits } from './options.js';
import { Outbox } from './outbox.js';
import { own } from './owners.js';
import { States } from './states.js';
import type { Transport, TransportType } from './transport.js';

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
  readonly outbox: Outbox;
  readonly limits: SocketLimits;
  readonly opening: Opening;
  readonly ending = new Ending();
  allowHalfOpen: boolean;
  bytesRead = 0;
  lastReadAt: number | undefined;
  lastWriteAt: number | undefined;

  readonly #states = new States<ReadyState>('idle');
  #life: 'idle' | 'opening' | 'open' | 'closed' = 'idle';
  #parting = false;

  readonly #transport: Transport;
  readonly #audience: Audience;
  readonly #intake: Intake;
  readonly #deadlines: Deadlines;
  readonly #claim: Deadline | undefined;
  readonly #departure: Departure;
  #link: Link | undefined;
  #linkClosed = false;
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
    this.#audience = new Audience(limits.scheduler);
    this.#intake = new Intake(this.#audience, this.flow, limits.scheduler, {
      told: () => this.#endWithPeer(),
      turned: () => this.#advance(),
    });
    this.outbox = new Outbox(limits, {
      progress: () => this.#progressed(),
      drained: () => this.#audience.tell({ type: 'drain' }),
    });
    this.#deadlines = new Deadlines(
      limits,
      dialled ? birth : {},
      (timeout, milliseconds, what) => this.#expired(timeout, milliseconds, what),
      () => this.#link?.queued ?? 0,
    );
    this.opening = new Opening(transport, this.#audience, this.#deadlines);
    this.#departure = new Departure(limits);
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
    const input = this.#intake.state === 'flowing';
    const output = !this.outbox.done;
    if (this.#parting || this.ending.failure || !(input || output)) return 'closing';
    if (input && output) return 'open';
    return input ? 'readOnly' : 'writeOnly';
  }

  get readyStates(): Observable<ReadyState> {
    return this.#states.changes;
  }

  /** Whether another one has taken the stream over. */
  get upgraded(): boolean {
    return this.ending.how === 'upgraded';
  }

  get type(): TransportType {
    return this.#transport.type;
  }

  /** Bytes received that wait to be delivered. */
  get readableLength(): number {
    return this.#intake.bytes;
  }

  // ---- what users do

  /** Adds a reader, or a watcher of one type of event, until the subscriber leaves. */
  subscribe(subscriber: Subscriber<SocketEvent>, type?: SocketEvent['type']): void {
    if (this.#life === 'idle' && this.limits.signal?.aborted) this.#onSignal();
    this.#departure.cancel();
    const leave = this.#audience.add(subscriber, type);
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
    if (this.outbox.state !== 'open') return false;
    const { pending } = this.outbox;
    const { maxWriteBuffer } = this.limits;
    if (pending <= maxWriteBuffer) return this.outbox.write(bytes);
    this.fail(overflowError(pending, maxWriteBuffer, this.opening.scene), 'error');
    return false;
  }

  /**
   * Says that something is being written which must be whole: a FIN before its last byte would be a lie, so the peer's
   * does not complete our side until the returned function is called, whatever `allowHalfOpen` says.
   */
  begin(): () => void {
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
    return this.#link?.native ?? false;
  }

  complete(): void {
    this.outbox.complete();
    this.dial();
    this.claim();
  }

  abort(reason: unknown): void {
    this.fail(abortedError(reason, this.opening.scene), 'abort');
  }

  /** Aborts because what was to be written is not whole; when FIN is out it is, and there is nothing to take back. */
  cut(reason: unknown): void {
    if (this.outbox.state !== 'finished') this.abort(reason);
  }

  /** Gives bytes back: they come again, to those who have not seen them, and before the end. */
  unshift(bytes: Uint8Array, by?: Subscriber<unknown>): void {
    if (this.#life === 'closed') return;
    this.#intake.unshift(bytes, by);
    this.#advance();
  }

  /** Flushes, sends FIN and waits for the peer's; drops what nobody takes meanwhile. */
  close(timeout: number): Promise<CloseReport> {
    if (timeout === 0) this.abort(new Error('it was closed with no time to wait'));
    const concluded = new Promise<CloseReport>((resolve) => this.ending.after(resolve));
    if (this.#life === 'closed') return concluded;
    if (this.#life === 'idle' && this.outbox.pending === 0) {
      this.ending.is('local', 'fin');
      this.#conclude();
    } else {
      this.#deadlines.closeWithin(timeout);
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
    if (this.outbox.state !== 'open') throw refuse('complete() was called', 'ERR_SOCKET_NOT_OPEN');
    if (this.#audience.reads)
      throw refuse('somebody still reads it: let them leave first, and go on in the next turn', 'ERR_READER_EXISTS');
    this.outbox.flush();
    if (this.outbox.pending > 0) throw refuse('bytes wait to be written: await write() first', 'ERR_WRITES_PENDING');
    const stream = this.#intake.waits ? undefined : this.#link?.detach();
    if (!stream) throw refuse('bytes have come that nobody has read', 'ERR_PLAINTEXT_LEFT');
    this.ending.is('local', 'upgraded');
    this.#parting = true;
    this.#conclude();
    return stream;
  }

  /** Ends the connection from this side with an error: input is dropped, and the peer sees a reset. */
  fail(error: SocketError, how: 'timeout' | 'abort' | 'error'): void {
    if (this.#life === 'closed') return;
    this.ending.fails(error, 'local', how);
    this.#intake.drop();
    const flushed = this.outbox.state === 'finished';
    this.outbox.break(error);
    // When all is flushed and FIN is out, only the wait for the peer was cut short: nothing is to be taken back.
    if (!this.#link) this.#linkClosed = true;
    else if (flushed && how === 'timeout') this.#link.destroy();
    else this.#link.reset();
    this.#advance();
  }

  // ---- what the link tells

  #open(): void {
    this.#life = 'opening';
    this.limits.signal?.addEventListener('abort', this.#onSignal, { once: true });
    this.#deadlines.connect.start();
    this.#link = new Link(this.#transport, this.#linkHandlers());
    own(this.#link.stream, this);
    this.#link.begin();
    this.#changed();
  }

  #linkHandlers(): LinkHandlers {
    return {
      progress: (event) => {
        this.opening.progress(event);
        this.#changed();
      },
      connected: () => this.#connected(),
      opened: () => this.#opened(),
      received: (chunk) => this.#received(chunk),
      ended: (cut) => this.#ended(cut),
      wrote: () => this.outbox.wrote(),
      finished: () => this.#finished(),
      writeFailed: (error) => this.#writeFailed(error),
      failed: (error) => this.#failed(error),
      closed: () => {
        this.#linkClosed = true;
        this.#advance();
      },
    };
  }

  #connected(): void {
    if (this.#life !== 'opening' || !this.#link) return;
    this.opening.connected(this.#link);
    this.#changed();
  }

  #opened(): void {
    if (this.#life !== 'opening' || !this.#link) return;
    this.#life = 'open';
    if (!this.flow.held) this.#deadlines.idle.start();
    this.opening.opened(this.#link, this.limits.scheduler.now());
    this.outbox.open(this.#link);
    this.#advance();
  }

  #received(chunk: Buffer): boolean {
    this.bytesRead += chunk.length;
    this.lastReadAt = this.limits.scheduler.now();
    this.#deadlines.idle.touch();
    this.#deadlines.linger.touch();
    this.#intake.take(chunk);
    this.#advance();
    return this.#wantsMore;
  }

  #ended(cut: boolean): void {
    if (this.#intake.state !== 'flowing') return;
    if (cut) {
      this.#failed(truncatedError(this.opening.scene));
      this.#link?.reset();
      return;
    }
    // A write that failed has used the error up: the end that the kernel answers after it is none. Except for these two,
    // which say that our side is closed, and nothing of the peer's.
    const { failure } = this.ending;
    if (failure && failure.code !== 'EPIPE' && failure.code !== 'ENOTCONN') {
      this.#intake.cut();
      this.#link?.destroy();
    } else {
      this.#intake.end();
      this.ending.is('peer', 'fin');
    }
    this.#advance();
  }

  #progressed(): void {
    this.lastWriteAt = this.limits.scheduler.now();
    this.#deadlines.idle.touch();
    this.#deadlines.linger.touch();
    this.#deadlines.halfOpen.touch();
  }

  #finished(): void {
    this.outbox.finished();
    this.ending.is('local', 'fin');
    this.#audience.tell({ type: 'finish' });
    this.#advance();
  }

  // Closes the write side only: what the peer has sent is delivered first, then the error.
  #writeFailed(cause: NodeJS.ErrnoException): void {
    this.#failedBy(writeError(cause, this.opening.scene), 'reset');
  }

  // The stream is destroyed; what was received before is still to be delivered.
  #failed(cause: NodeJS.ErrnoException): void {
    this.#intake.cut();
    const error = this.opening.explain(cause);
    this.#failedBy(error, error.name === 'ResetError' ? 'reset' : 'error');
  }

  #failedBy(error: SocketError, how: 'reset' | 'error'): void {
    if (this.ending.fails(error, 'peer', how)) this.outbox.break(error);
    this.#advance();
  }

  // ---- the next step

  #changed(): void {
    this.#states.set(this.readyState);
    this.#states.tell();
  }

  #advance(): void {
    this.#changed();
    if (this.#advancing || this.#life === 'closed') return;
    this.#advancing = true;
    try {
      this.#intake.deliver(this.#parting);
    } finally {
      this.#advancing = false;
    }
    const { outbox } = this;
    if (this.#life === 'open' && this.#wantsMore) this.#link?.read();
    if (this.#intake.done && outbox.done) this.#link?.destroy();
    const flowing = this.#intake.state === 'flowing';
    const idle = !this.#parting && !this.#intake.dropping && !this.#audience.reads;
    this.#deadlines.fin.runs(flowing && outbox.done && idle);
    // While held, a FIN that was noticed is not yet told: it is not our side that is late.
    this.#deadlines.halfOpen.runs(!flowing && !outbox.done && !this.flow.held);
    if (this.#linkClosed) this.#concludeWhenDelivered();
  }

  #endWithPeer(): void {
    if (this.#intake.state === 'told' && !this.allowHalfOpen && this.#unfinished === 0) this.outbox.complete();
  }

  get #wantsMore(): boolean {
    return this.#claimed && this.#intake.hasRoom(this.limits.highWaterMark);
  }

  #concludeWhenDelivered(): void {
    if (!this.#intake.waits) this.#conclude();
    // Nobody reads: by the next turn a next reader may have come for the rest.
    else if (!this.#audience.reads) this.#departure.planNextTurn(() => this.#conclude());
  }

  #conclude(): void {
    if (this.#life === 'closed') return;
    const { ending, outbox, opening } = this;
    const whole = this.#intake.state === 'told' && outbox.state === 'finished';
    if (this.#life === 'open' && !whole && !this.#parting && this.#audience.size > 0) {
      ending.fails(destroyedError(opening.scene), 'local', 'abort');
    }
    // Before anybody hears of it: nothing is left to be aborted.
    this.#life = 'closed';
    outbox.break(ending.failure ?? closedError(opening.scene));
    this.#deadlines.stop();
    this.#claim?.stop();
    this.#departure.cancel();
    this.limits.signal?.removeEventListener('abort', this.#onSignal);
    this.#intake.clear();
    const report = ending.conclude({
      bytesRead: this.bytesRead,
      bytesWritten: outbox.written,
      bytesUnsent: outbox.pending,
      duration: opening.openedAt === undefined ? 0 : this.limits.scheduler.now() - opening.openedAt,
    });
    // Lost bytes that nobody hears of, unless somebody wanted it so.
    const unheard = outbox.unheard && this.#audience.size === 0 && ending.how !== 'abort';
    if (ending.failure && unheard) process.emitWarning(ending.failure);
    this.#changed();
    this.#audience.close({ type: 'close', report }, ending.failure);
    ending.told();
  }

  // ---- leaving

  #memberLeft(): void {
    this.#advance();
    if (this.#audience.size > 0 || this.#life === 'closed' || this.#parting) return;
    // What waits for a reader when all is over does so for one turn only.
    if (!this.#linkClosed) this.#departure.plan(() => this.#leave());
  }

  #leave(): void {
    this.#departure.cancel();
    if (this.#life === 'opening' && this.outbox.pending === 0 && this.outbox.state === 'open') {
      return this.abort(new Error('everybody had left before it was open'));
    }
    // After the peer's FIN an answer may still be on its way.
    if (this.#intake.state === 'told' && this.allowHalfOpen && this.outbox.state === 'open') return;
    this.#deadlines.linger.start();
    this.#part();
  }

  #part(): void {
    this.#parting = true;
    this.complete();
  }

  // ---- limits

  #heldChanged(held: boolean): void {
    if (held) {
      this.#deadlines.hold.start();
      this.#deadlines.idle.stop();
    } else {
      this.#deadlines.hold.stop();
      if (this.#life === 'open') this.#deadlines.idle.start();
    }
    this.#advance();
  }

  #expired(timeout: string, milliseconds: number, what: string): void {
    if (timeout === 'idleTimeout') this.#audience.tell({ type: 'timeout' });
    const holders = timeout === 'holdTimeout' ? ` by ${this.flow.holds.join(', ')}` : '';
    this.fail(timeoutError(timeout, milliseconds, what + holders, this.opening.scene), 'timeout');
  }

  readonly #onSignal = () => this.abort(this.limits.signal?.reason);
}
