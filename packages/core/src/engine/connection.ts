// The state machine of one socket. Three independent parts:
//
//   life     idle ──dial──▶ opening ──ready──▶ open ──▶ closed            any of them ──failure──▶ closed
//   intake   flowing ──peer's FIN──▶ ended ──delivered──▶ told            flowing ──failure──▶ cut
//   outbox   open ──▶ completing ──▶ finished                             open, completing ──failure──▶ broken
//
// and `parting`, which is never taken back: leaving or closing, so that what nobody takes is dropped. Whatever happens
// changes one of these and calls `#advance`, which delivers what can be delivered and takes the next step: read on,
// destroy the stream, conclude. Nothing else does.
import type { Duplex } from 'node:stream';
import type { Observable, Subscriber, Subscription } from 'rxjs';
import type { Endpoint } from '../endpoint.js';
import { type ConnectAttempt, SocketError } from '../errors.js';
import type { CloseReport, SocketEvent } from '../events.js';
import { Holds } from '../flow.js';
import { joinConsumer } from '../flowable.js';
import { Audience } from './audience.js';
import { Deadline } from './deadline.js';
import { Deadlines } from './deadlines.js';
import {
  abortedError,
  closedError,
  connectError,
  destroyedError,
  overflowError,
  type Scene,
  streamError,
  timeoutError,
  truncatedError,
  upgradeError,
  writeError,
} from './failures.js';
import { guarded } from './guarded.js';
import { Intake } from './intake.js';
import { Link, type LinkHandlers } from './link.js';
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
  allowHalfOpen: boolean;
  local: Endpoint | undefined;
  remote: Endpoint | undefined;
  bytesRead = 0;
  openedAt: number | undefined;
  lastReadAt: number | undefined;
  lastWriteAt: number | undefined;
  /** What it failed with. */
  failure: SocketError | undefined;
  /** Set at the end. */
  report: CloseReport | undefined;

  readonly #states = new States<ReadyState>('idle');
  #life: 'idle' | 'opening' | 'open' | 'closed' = 'idle';
  #step: 'resolving' | 'connecting' | 'securing';
  #parting = false;

  readonly #transport: Transport;
  readonly #audience: Audience;
  readonly #intake: Intake;
  readonly #deadlines: Deadlines;
  readonly #claim: Deadline | undefined;
  readonly #attempts: ConnectAttempt[] = [];
  readonly #concluded: ((report: CloseReport) => void)[] = [];
  #link: Link | undefined;
  #linkClosed = false;
  #claimed: boolean;
  /** How many writes are going on that must be whole. */
  #unfinished = 0;
  #advancing = false;
  #verdict: Pick<CloseReport, 'by' | 'how'> | undefined;
  #departure: Subscription | undefined;

  constructor(transport: Transport, limits: SocketLimits, birth: Birth) {
    const dialled = 'connectTimeout' in birth;
    this.#transport = transport;
    this.#step = transport.resolves ? 'resolving' : 'connecting';
    this.limits = limits;
    this.allowHalfOpen = limits.allowHalfOpen;
    this.#claimed = dialled;
    this.#audience = new Audience(limits.scheduler);
    this.#intake = new Intake(this.#audience, this.flow, limits.scheduler, {
      told: () => this.#endWithPeer(),
      turned: () => this.#advance(),
    });
    this.outbox = new Outbox(limits.highWaterMark, {
      progress: () => this.#progressed(),
      drained: () => this.#audience.tell({ type: 'drain' }),
    });
    this.#deadlines = new Deadlines(
      limits,
      dialled ? birth : {},
      (timeout, milliseconds, what) => this.#expired(timeout, milliseconds, what),
      () => this.#link?.queued ?? 0,
    );
    if (!dialled) {
      this.#claim = new Deadline(limits.scheduler, birth.claimTimeout, birth.unclaimed);
      this.#claim.start();
      this.#open();
      // Now that the stream is ours, for somebody has to end it.
      if (limits.signal?.aborted) this.#onSignal();
    }
  }

  get readyState(): ReadyState {
    if (this.#life === 'opening') return this.#step;
    if (this.#life !== 'open') return this.#life;
    const input = this.#intake.state === 'flowing';
    const output = !this.outbox.done;
    if (this.#parting || this.failure || !(input || output)) return 'closing';
    if (input && output) return 'open';
    return input ? 'readOnly' : 'writeOnly';
  }

  get readyStates(): Observable<ReadyState> {
    return this.#states.changes;
  }

  /** Whether another one has taken the stream over. */
  get upgraded(): boolean {
    return this.#verdict?.how === 'upgraded';
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
    this.#stay();
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
    this.fail(overflowError(pending, maxWriteBuffer, this.#scene), 'error');
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
    this.fail(abortedError(reason, this.#scene), 'abort');
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
    if (this.report) return Promise.resolve(this.report);
    const concluded = new Promise<CloseReport>((resolve) => this.#concluded.push(resolve));
    if (this.#life === 'idle' && this.outbox.pending === 0) {
      this.#verdict = { by: 'local', how: 'fin' };
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
    const refuse = (why: string, code: string) => upgradeError(why, code, this.#scene);
    if (this.readyState !== 'open') throw refuse(`it is ${this.readyState}, not open`, 'ERR_SOCKET_NOT_OPEN');
    if (this.outbox.state !== 'open') throw refuse('complete() was called', 'ERR_SOCKET_NOT_OPEN');
    if (this.#audience.reads)
      throw refuse('somebody still reads it: let them leave first, and go on in the next turn', 'ERR_READER_EXISTS');
    this.outbox.flush();
    if (this.outbox.pending > 0) throw refuse('bytes wait to be written: await write() first', 'ERR_WRITES_PENDING');
    const stream = this.#intake.waits ? undefined : this.#link?.detach();
    if (!stream) throw refuse('bytes have come that nobody has read', 'ERR_PLAINTEXT_LEFT');
    this.#verdict = { by: 'local', how: 'upgraded' };
    this.#parting = true;
    this.#conclude();
    return stream;
  }

  /** Calls `act` at the end of the connection. */
  whenConcluded(act: (report: CloseReport) => void): void {
    if (this.report) act(this.report);
    else this.#concluded.push(act);
  }

  /** Ends the connection from this side with an error: input is dropped, and the peer sees a reset. */
  fail(error: SocketError, how: 'timeout' | 'abort' | 'error'): void {
    if (this.#life === 'closed') return;
    if (!this.failure) {
      this.failure = error;
      this.#verdict = { by: 'local', how };
    }
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
        if (event.type !== 'lookup') this.#step = 'connecting';
        this.#changed();
        if (event.type === 'connectionAttemptFailed') {
          const { address, port, code } = event;
          this.#attempts.push({ address, port, code });
        }
        this.#audience.tell(event);
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
    this.#step = 'securing';
    this.#deadlines.connect.stop();
    this.#deadlines.handshake.start();
    this.#tellConnect(this.#link);
    this.#changed();
  }

  #opened(): void {
    if (this.#life !== 'opening' || !this.#link) return;
    this.#life = 'open';
    this.#deadlines.connect.stop();
    this.#deadlines.handshake.stop();
    if (!this.flow.held) this.#deadlines.idle.start();
    this.openedAt = this.limits.scheduler.now();
    const { secured } = this.#link;
    // Told by #connected, where something is laid over the connection.
    if (this.#step !== 'securing') this.#tellConnect(this.#link);
    if (secured) this.#audience.tell(secured);
    this.outbox.open(this.#link);
    this.#advance();
  }

  #tellConnect({ ends: { local, remote } }: Link): void {
    this.local = local;
    this.remote = remote;
    this.#audience.tell({ type: 'connect', local, remote });
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
      this.#failed(truncatedError(this.#scene));
      this.#link?.reset();
      return;
    }
    // A write that failed has used the error up: the end that the kernel answers after it is none. Except for these two,
    // which say that our side is closed, and nothing of the peer's.
    if (this.failure && this.failure.code !== 'EPIPE' && this.failure.code !== 'ENOTCONN') {
      this.#intake.cut();
      this.#link?.destroy();
    } else {
      this.#intake.end();
      this.#verdict ??= { by: 'peer', how: 'fin' };
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
    this.#verdict ??= { by: 'local', how: 'fin' };
    this.#audience.tell({ type: 'finish' });
    this.#advance();
  }

  // Closes the write side only: what the peer has sent is delivered first, then the error.
  #writeFailed(cause: NodeJS.ErrnoException): void {
    this.#failedBy(writeError(cause, this.#scene), 'reset');
  }

  // The stream is destroyed; what was received before is still to be delivered.
  #failed(cause: NodeJS.ErrnoException): void {
    this.#intake.cut();
    const error = this.#explained(cause);
    this.#failedBy(error, error.name === 'ResetError' ? 'reset' : 'error');
  }

  #explained(cause: NodeJS.ErrnoException): SocketError {
    if (cause instanceof SocketError) return cause;
    const { target, local, remote } = this.#scene;
    const opening = this.#life === 'opening';
    const theirs = this.#transport.explain?.(cause, { target, local, remote, phase: opening ? 'open' : 'read' });
    if (theirs) return theirs;
    return opening ? connectError(cause, this.#attempts, this.#scene) : streamError(cause, this.#scene);
  }

  #failedBy(error: SocketError, how: 'reset' | 'error'): void {
    if (!this.failure) {
      this.failure = error;
      this.#verdict = { by: 'peer', how };
      this.outbox.break(error);
    }
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
    else if (!this.#audience.reads) this.#departure ??= this.limits.scheduler.schedule(() => this.#conclude());
  }

  #conclude(): void {
    if (this.#life === 'closed') return;
    const whole = this.#intake.state === 'told' && this.outbox.state === 'finished';
    if (this.#life === 'open' && !this.failure && !whole && !this.#parting && this.#audience.size > 0) {
      this.failure = destroyedError(this.#scene);
      this.#verdict = { by: 'local', how: 'abort' };
    }
    // Before anybody hears of it: nothing is left to be aborted.
    this.#life = 'closed';
    this.outbox.break(this.failure ?? closedError(this.#scene));
    this.#deadlines.stop();
    this.#claim?.stop();
    this.#stay();
    this.limits.signal?.removeEventListener('abort', this.#onSignal);
    this.#intake.clear();
    this.report = {
      ...(this.#verdict ?? { by: 'local', how: 'abort' }),
      bytesRead: this.bytesRead,
      bytesWritten: this.outbox.written,
      bytesUnsent: this.outbox.pending,
      duration: this.openedAt === undefined ? 0 : this.limits.scheduler.now() - this.openedAt,
    };
    // Lost bytes that nobody hears of, unless somebody wanted it so.
    const unheard = this.outbox.unheard && this.#audience.size === 0 && this.#verdict?.how !== 'abort';
    if (this.failure && unheard) process.emitWarning(this.failure);
    this.#changed();
    this.#audience.close({ type: 'close', report: this.report }, this.failure);
    const { report } = this;
    for (const act of this.#concluded) guarded(() => act(report));
  }

  // ---- leaving

  #memberLeft(): void {
    this.#advance();
    if (this.#audience.size > 0 || this.#life === 'closed' || this.#parting) return;
    const { keepOpen, scheduler } = this.limits;
    // What waits for a reader when all is over does so for one turn only.
    if (this.#linkClosed) return;
    this.#stay();
    if (keepOpen === true) return;
    this.#departure = scheduler.schedule(() => this.#leave(), keepOpen === false ? 0 : keepOpen);
  }

  #stay(): void {
    this.#departure?.unsubscribe();
    this.#departure = undefined;
  }

  #leave(): void {
    this.#departure = undefined;
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
    this.fail(timeoutError(timeout, milliseconds, what + holders, this.#scene), 'timeout');
  }

  readonly #onSignal = () => this.abort(this.limits.signal?.reason);

  get #scene(): Scene {
    return {
      target: this.#transport.target,
      opened: this.openedAt !== undefined,
      local: this.local,
      remote: this.remote,
    };
  }
}
