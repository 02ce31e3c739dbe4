// One connection: the state machine behind a socket. It has three states, which change independently of each other:
//
//   life         idle ──dial──▶ opening ──ready──▶ open ──▶ closed         any ──failure──▶ closed
//   read side    flowing ──peer's FIN──▶ ended ──delivered──▶ delivered     flowing ──failure──▶ cut
//   write side   open ──complete()──▶ completing ──FIN sent──▶ finished     open, completing ──failure──▶ broken
//
// and one flag, `closing`, which never becomes false again: close() was called or the last subscriber has left, so
// received bytes that no reader takes are dropped. `ready` is the event of the transport that says that the stream is
// open: TCP is connected, the TLS handshake is done.
//
// Everything that happens changes one of these states and then calls #advance(). Only #advance() takes the next step:
// it delivers what can be delivered, reads on, destroys the stream when both sides have ended, starts and stops time
// limits, and concludes when the stream is closed and everything was delivered. A connection reads while it is claimed
// and has room to read ahead; it delivers while it has a reader and no hold.
//
// The classes: Opening (the way to an open stream), ReadSide, WriteSide, Subscribers (who receives events), Usage
// (claim, leave, keepOpen), Timeouts, Outcome (how and why it ended), NodeStream (the Duplex beneath).
import type { Duplex } from 'node:stream';
import type { Observable, Subscriber } from 'rxjs';
import { onAbortSignal } from '../base/abort-signals.js';
import type { SocketError } from '../base/errors.js';
import type { CloseReport, SocketEvent } from '../base/events.js';
import { guarded } from '../base/guarded.js';
import { isLocalDecision, markLocalDecision } from '../base/local-decision.js';
import { clearImmediate, setImmediate } from '../base/real-timers.js';
import { States } from '../base/states.js';
import { spendRead } from '../base/turn-budget.js';
import { ByteSource } from '../flow/byte-source.js';
import { joinConsumer } from '../flow/discovery.js';
import { FlowLink } from '../flow/flow-subscriber.js';
import { Holds } from '../flow/holds.js';
import { taps } from '../observe/byte-tap.js';
import type { ConnectionRole } from '../observe/messages.js';
import {
  handshakeBegins,
  type ObservedConnection,
  publishClose,
  publishDial,
  publishError,
  publishHold,
  publishOpen,
  tapReceived,
  tapReceivedEnd,
  tapSent,
  tapSentEnd,
} from '../observe/socket-events.js';
import { BudgetShare } from './budget-share.js';
import {
  abortedError,
  closedError,
  destroyedError,
  memoryBudgetError,
  overflowError,
  timeoutError,
  truncatedError,
  upgradeError,
  writeError,
} from './connection-errors.js';
import type { SocketControl } from './control.js';
import type { DialEvent } from './dial-events.js';
import type { SocketLimits } from './limits.js';
import { resetStream } from './node-internals.js';
import { NodeStream, type NodeStreamHandlers } from './node-stream.js';
import { Opening } from './opening.js';
import { type CloseListener, Outcome } from './outcome.js';
import { setOwner } from './owners.js';
import { PeerProgress } from './peer-progress.js';
import { ReadSide, type ReadSideHandlers } from './read-side.js';
import type { SubscriberEntry, SubscriberOwner, SubscriptionType, Watcher } from './subscriber-entry.js';
import { Subscribers } from './subscribers.js';
import { type Limit, type LimitLengths, Timeouts, type TimeoutsOwner } from './timeouts.js';
import type { Dial, DialHandlers, StreamTransport, Transport, TransportType } from './transport.js';
import { applyTuning, type StreamTuning } from './tuning.js';
import { warnOfLoss } from './unnoticed-loss.js';
import { type Acceptor, Usage } from './usage.js';
import { measureWrites, type WriteRate } from './write-rate.js';
import { WriteSide, type WriteSideHandlers } from './write-side.js';

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

/**
 * How a connection starts: it is dialled, within these times; or it is open, because a server has accepted it for
 * example, but paused until it is claimed.
 */
export type ConnectionStart = Pick<LimitLengths, 'connectTimeout' | 'handshakeTimeout'> | 'open';

// It is itself what its parts report to: functions of their own would cost each connection a kilobyte.
export class Connection
  implements
    SocketControl,
    DialHandlers,
    NodeStreamHandlers,
    ReadSideHandlers,
    WriteSideHandlers,
    SubscriberOwner,
    TimeoutsOwner,
    ObservedConnection
{
  readonly flow: Holds;
  readonly writeSide: WriteSide;
  readonly limits: SocketLimits;
  readonly opening: Opening;
  #progress: PeerProgress | undefined;
  allowHalfOpen: boolean;
  /** The Socket, which the diagnostics channels show. It is created after the connection. */
  socket: object | undefined;
  bytesRead = 0;
  lastReadAt: number | undefined;
  lastWriteAt: number | undefined;

  /** `undefined` until somebody observes it. */
  #states: States<ReadyState> | undefined;
  #life: 'idle' | 'opening' | 'open' | 'closed' = 'idle';
  #closing = false;
  /** Whether `close()` was called with a time limit. It replaces the limits of leaving. */
  #hasOwnLimit = false;

  readonly #transport: Transport;
  readonly #subscribers: Subscribers;
  readonly #readSide: ReadSide;
  /** The times for dialling; `undefined` for a connection that was open from the start. */
  readonly #dialTimes: Exclude<ConnectionStart, 'open'> | undefined;
  /** `undefined` until a limit starts. */
  #timeouts: Timeouts | undefined;
  /** `undefined` without `minWriteRate`. */
  readonly #writeRate: WriteRate | undefined;
  /** Whether the connection has been used. Until then it does not read. */
  #claimed: boolean;
  /** `undefined` until it waits for its first use, or its last subscriber has left. */
  #usage: Usage | undefined;
  /** `undefined` without a memory budget. */
  readonly #share: BudgetShare | undefined;
  readonly #outcome = new Outcome();
  /** While dialling: there is no stream yet. */
  #dial: Dial | undefined;
  #stream: NodeStream | undefined;
  #streamClosed = false;
  #bytes: ByteSource | undefined;
  /** What `tune()` asked for before the stream was open. */
  #tuning: StreamTuning | undefined;
  #ignoreSignal: (() => void) | undefined;
  successor: SocketControl['successor'];
  /** What completed the write side. */
  completedBy: SocketControl['completedBy'];
  /** How many writes that must arrive whole are in progress. */
  #wholeWrites = 0;
  #advancing = false;
  /** Reads on in a later turn, because the budget of this one is used up. */
  #nextTurn: NodeJS.Immediate | undefined;

  constructor(transport: Transport, limits: SocketLimits, start: ConnectionStart) {
    this.#transport = transport;
    this.limits = limits;
    // Other streams may have virtual time, where there is no event loop. #carry() sees which.
    const isRealTime = transport.type !== 'duplex';
    this.flow = new Holds(this, isRealTime, limits.scheduler);
    this.allowHalfOpen = limits.allowHalfOpen;
    this.#subscribers = new Subscribers(this, limits.scheduler);
    this.#readSide = new ReadSide(this.#subscribers, this.flow, limits.scheduler, this);
    this.writeSide = new WriteSide(limits, this);
    this.#writeRate = measureWrites(limits, this);
    this.#share = this.#joinBudget(limits);
    this.opening = new Opening(transport, this.#subscribers);
    this.#dialTimes = start === 'open' ? undefined : start;
    this.#claimed = start !== 'open';
    if (start !== 'open') return;
    this.#open();
    // After the stream has an owner, which destroys it.
    if (limits.signal?.aborted) this.#abortBySignal();
  }

  // ---- what a socket shows

  get readyState(): ReadyState {
    if (this.#life === 'opening') return this.opening.step;
    if (this.#life !== 'open') return this.#life;
    const input = this.#readSide.state === 'flowing';
    const output = !this.writeSide.done;
    if (this.#closing || this.#outcome.failure || !(input || output)) return 'closing';
    if (input && output) return 'open';
    return input ? 'readOnly' : 'writeOnly';
  }

  get readyStates(): Observable<ReadyState> {
    this.#states ??= new States(this.readyState);
    return this.#states.changes;
  }

  get type(): TransportType {
    return this.#transport.type;
  }

  get role(): ConnectionRole {
    if (this.type === 'duplex') return undefined;
    return this.#transport.role ?? 'client';
  }

  /** How many received bytes wait to be delivered. */
  get readableLength(): number {
    return this.#readSide.bytes;
  }

  // ---- what a socket does

  /** Adds a reader, or a watcher of one type of event, until the subscriber leaves. */
  subscribe(subscriber: Subscriber<never>, type: SubscriptionType = 'events'): void {
    if (this.#life === 'idle' && this.limits.signal?.aborted) this.#abortBySignal();
    this.#usage?.cancelPlan();
    const entry = this.#subscribers.add(subscriber, type);
    entry.consumer = joinConsumer(subscriber, this.flow);
    // Before anything is delivered, because the subscriber may leave during the delivery.
    if (subscriber.closed) entry.unsubscribe();
    else if (!(subscriber instanceof FlowLink && subscriber.place === entry)) subscriber.add(entry);
    this.dial();
    this.#use();
  }

  /** Marks the connection as used: an accepted one may read from now on. */
  claim(): void {
    if (!this.#claimed) this.#use();
  }

  #use(): void {
    this.#claimed = true;
    this.#usage?.claimed();
    this.#advance();
  }

  /** The connection was accepted: it must be claimed in time. */
  awaitClaim(acceptor: Acceptor): void {
    if (this.#claimed || this.#life === 'closed') return;
    this.#usage ??= new Usage(this.limits);
    this.#usage.awaitClaim(acceptor);
  }

  dial(): void {
    if (this.#life !== 'idle') return;
    if (this.limits.signal?.aborted) this.#abortBySignal();
    else this.#open();
  }

  /** Accepts bytes to write. Returns whether there is room for more. Past `maxWriteBuffer` the socket fails. */
  write(bytes: Uint8Array): boolean {
    if (this.writeSide.state !== 'open') return false;
    const { cost } = this.writeSide;
    const { maxWriteBuffer } = this.limits;
    if (cost <= maxWriteBuffer) {
      if (this.#life === 'open') this.#writeRate?.wrote();
      return this.writeSide.write(bytes);
    }
    this.#fail(overflowError(cost, maxWriteBuffer, this.opening.scene), 'error');
    return false;
  }

  complete(by: SocketControl['completedBy'] = 'complete'): void {
    this.#completeWriteSide(by);
    this.dial();
    this.#use();
  }

  abort(reason: unknown): void {
    this.#fail(abortedError(reason, this.opening.scene), 'abort');
  }

  /** Takes bytes back. They are delivered again, before the end, to subscribers that have not received them. */
  unread(bytes: Uint8Array, by?: Subscriber<unknown>): void {
    this.#readSide.unread(bytes, by);
    this.#advance();
    // The read in progress would add its bytes to these.
    if (this.#life === 'open' && !this.#wantsMore) this.#stream?.stopReading();
  }

  /**
   * Flushes, sends FIN and waits for the peer's FIN. Drops what no reader takes in the meantime.
   * @param timeout The limit of this call, which replaces all others. `undefined` for the limits of leaving; if the
   * connection is closing already, it changes nothing.
   */
  close(timeout?: number): Promise<CloseReport> {
    if (timeout === 0) this.abort(new Error('it was closed with a timeout of 0'));
    const closed = new Promise<CloseReport>((resolve) => this.#outcome.afterClose(resolve));
    if (this.#life === 'closed') return closed;
    if (this.#life === 'idle' && this.writeSide.pending === 0) {
      this.#outcome.endedBy('local', 'fin');
      this.#conclude();
    } else {
      if (timeout !== undefined) {
        this.#hasOwnLimit = true;
        this.#timeouts?.stop('linger');
        this.#writeRate?.stop();
        this.#makeTimeouts().closeWithin(timeout);
      } else if (!this.#closing) {
        this.#start('linger');
      }
      this.#startClosing('close');
    }
    return closed;
  }

  // ---- SocketControl

  get bytes(): ByteSource {
    this.#bytes ??= new ByteSource(this);
    return this.#bytes;
  }

  watch(type: SocketEvent['type'], subscriber: Subscriber<never>): void {
    this.subscribe(subscriber, type);
  }

  get writeState(): WriteSide['state'] {
    return this.writeSide.state;
  }

  get writeError(): unknown {
    return this.writeSide.error;
  }

  get waitsForTurn(): boolean {
    return this.writeSide.waitsForTurn;
  }

  get copiesWrites(): boolean {
    return this.#stream?.isNetSocket ?? false;
  }

  beginWrite(writer: Watcher): void {
    if (this.#life === 'idle' && this.limits.signal?.aborted) this.#abortBySignal();
    this.#usage?.cancelPlan();
    this.#wholeWrites++;
    this.#subscribers.watch(writer);
    if (this.writeSide.state === 'broken') writer.broken(this.writeSide.error);
    this.dial();
    this.claim();
  }

  endWrite(): void {
    this.#wholeWrites--;
    this.#endWithPeer();
  }

  unwatch(writer: Watcher): void {
    this.#subscribers.unwatch(writer);
    this.#oneLeft();
  }

  flush(): void {
    this.writeSide.flush();
  }

  flushed(): Promise<void> {
    return this.writeSide.flushed();
  }

  get waitsForDrain(): boolean {
    return this.writeSide.waitsForDrain;
  }

  hasRoomFor(bytes: number): boolean {
    return this.writeSide.hasRoomFor(bytes);
  }

  get progress(): PeerProgress {
    this.#progress ??= new PeerProgress(() => this.#stream?.duplex);
    return this.#progress;
  }

  onProgress(listener: () => void): () => void {
    return this.writeSide.onProgress(listener);
  }

  cut(reason: unknown): void {
    if (this.writeSide.state !== 'finished') this.abort(reason);
  }

  announce(): void {
    const { failure } = this.#outcome;
    if (this.#life === 'opening') publishDial(this, this.#transport.target);
    if (this.#life === 'open') publishOpen(this);
    if (failure) publishError(this, failure);
    // Nobody has read them yet.
    if (taps.length > 0) for (const chunk of this.#readSide.waiting) tapReceived(this, chunk);
  }

  tune(tuning: StreamTuning): void {
    if (this.#life === 'open' && this.#stream) applyTuning(this.#stream.duplex, tuning);
    else this.#tuning = { ...this.#tuning, ...tuning };
  }

  get failure(): SocketError | undefined {
    return this.#outcome.failure;
  }

  get hasReader(): boolean {
    return this.#subscribers.hasReader;
  }

  get upgraded(): boolean {
    return this.#outcome.how === 'upgraded';
  }

  afterClose(listener: CloseListener): void {
    this.#outcome.afterClose(listener);
  }

  detach(): Duplex {
    return this.#detach(() => this.#readSide.hasUndelivered);
  }

  handOver(): { readonly stream: Duplex; readonly received: Buffer } {
    const stream = this.#detach(() => this.#readSide.hasEnded);
    return { stream, received: this.#readSide.take() };
  }

  /** @param isLeft Whether something was received that cannot be passed on. */
  #detach(isLeft: () => boolean): Duplex {
    const refuse = (why: string, code: string) => upgradeError(why, code, this.opening.scene);
    if (this.readyState !== 'open') throw refuse(`it is ${this.readyState}, not open`, 'ERR_SOCKET_NOT_OPEN');
    if (this.writeSide.state !== 'open') throw refuse('complete() was called', 'ERR_SOCKET_NOT_OPEN');
    if (this.#subscribers.hasReader)
      throw refuse('it still has a reader: let the reader leave, and upgrade in the next turn', 'ERR_READER_EXISTS');
    this.writeSide.flush();
    if (this.writeSide.pending > 0) throw refuse('bytes wait to be written: await write() first', 'ERR_WRITES_PENDING');
    const stream = isLeft() ? undefined : this.#stream?.detach();
    if (!stream) throw refuse('it has received bytes that nobody has read', 'ERR_PLAINTEXT_LEFT');
    this.#outcome.endedBy('local', 'upgraded');
    this.#closing = true;
    this.#conclude();
    return stream;
  }

  // ---- DialHandlers and NodeStreamHandlers

  dialProgressed(event: DialEvent): void {
    this.opening.dialProgressed(event);
    this.#notifyState();
  }

  dialled(stream: Duplex, received: Buffer = Buffer.alloc(0)): void {
    this.#dial = undefined;
    if (received.length > 0 && this.#transport.secure) return this.#refusePlaintext(stream);
    this.#carry(stream);
    if (received.length > 0) this.received(received);
  }

  // Whoever stands between could put bytes of its own in front of the handshake.
  #refusePlaintext(stream: Duplex): void {
    resetStream(stream);
    this.failed(Object.assign(new Error('bytes came before the TLS handshake'), { code: 'ERR_PLAINTEXT_LEFT' }));
    this.closed();
  }

  connected(): void {
    if (this.#life !== 'opening' || !this.#stream) return;
    handshakeBegins(this, this.limits.scheduler);
    this.#timeouts?.stop('connect');
    this.#start('handshake');
    this.opening.connected(this.#stream);
    this.#notifyState();
  }

  opened(): void {
    if (this.#life !== 'opening' || !this.#stream) return;
    this.#life = 'open';
    if (this.#tuning) applyTuning(this.#stream.duplex, this.#tuning);
    this.#timeouts?.stop('connect');
    this.#timeouts?.stop('handshake');
    if (!this.flow.held) this.#start('idle');
    this.opening.opened(this.#stream, this.limits.scheduler);
    publishOpen(this);
    this.opening.emitOpened(this.#stream);
    this.writeSide.open(this.#stream);
    if (!this.#hasOwnLimit) this.#writeRate?.wrote();
    this.#advance();
  }

  received(chunk: Buffer): boolean {
    if (taps.length > 0) tapReceived(this, chunk);
    this.bytesRead += chunk.length;
    this.lastReadAt = this.limits.scheduler.now();
    this.#timeouts?.touch('idle');
    // Before our FIN, only what the peer takes is progress.
    if (this.writeSide.done) this.#timeouts?.touch('linger');
    if (this.writeSide.state === 'broken') this.#timeouts?.touch('fin');
    this.#readSide.receive(chunk);
    const start = performance.now();
    this.#advance();
    // The peer may be faster than the consumer: Node reads up to 32 chunks in one turn.
    if (this.#stream?.isNetSocket && !spendRead(start)) this.#readNextTurn();
    return this.#wantsMore;
  }

  get borrows(): boolean {
    return this.#readSide.borrows;
  }

  receivedLent(chunk: Buffer): boolean {
    const readsOn = this.received(chunk);
    this.#readSide.keepRest(chunk);
    return readsOn;
  }

  ended(truncated: boolean): void {
    if (this.#readSide.state !== 'flowing') return;
    if (truncated) {
      this.failed(truncatedError(this.opening.scene));
      this.#stream?.reset();
      return;
    }
    // After a failed write, the kernel reports an end that the peer did not send. EPIPE and ENOTCONN are exceptions:
    // they say only that our own side is closed.
    const { failure } = this.#outcome;
    if (failure && failure.code !== 'EPIPE' && failure.code !== 'ENOTCONN') {
      this.#readSide.cut();
      this.#stream?.destroy();
    } else {
      tapReceivedEnd(this);
      this.#readSide.end();
      this.#outcome.endedBy('peer', 'fin');
    }
    this.#advance();
  }

  writes(chunks: readonly Uint8Array[]): void {
    tapSent(this, chunks);
  }

  wrote(): void {
    this.writeSide.wrote();
  }

  finished(): void {
    tapSentEnd(this);
    this.writeSide.finished();
    this.#timeouts?.touch('fin');
    this.#outcome.endedBy('local', 'fin');
    this.#subscribers.emit({ type: 'finish' });
    this.#advance();
  }

  // Ends the write side only: what the peer has sent is delivered first, then the error.
  writeFailed(cause: NodeJS.ErrnoException): void {
    this.#failWith(writeError(cause, this.opening.scene), 'reset');
  }

  // The stream is destroyed. What was received before is still delivered.
  failed(cause: NodeJS.ErrnoException): void {
    this.#readSide.cut();
    const error = this.opening.explain(cause);
    this.#failWith(error, error.name === 'ResetError' ? 'reset' : 'error');
  }

  closed(): void {
    this.#streamClosed = true;
    this.#advance();
  }

  // ---- changes of the three parts

  #open(): void {
    this.#life = 'opening';
    const { signal } = this.limits;
    if (signal) this.#ignoreSignal = onAbortSignal(signal, () => this.#abortBySignal());
    this.#start('connect');
    const transport = this.#transport;
    if ('dial' in transport) this.#dial = transport.dial(this);
    else this.#carry(transport.open(), transport.readyEvent);
    if ('received' in transport && transport.received) this.received(transport.received);
    this.#notifyState();
    if (this.#life === 'opening') publishDial(this, transport.target);
  }

  #carry(stream: Duplex, readyEvent?: StreamTransport['readyEvent']): void {
    this.#stream = new NodeStream(stream, this.#transport, this);
    if (this.#stream.isNetSocket) this.flow.isRealTime = true;
    setOwner(stream, this);
    this.#stream.start(readyEvent);
  }

  // ---- ReadSideHandlers and WriteSideHandlers

  endDelivered(): void {
    this.#endWithPeer();
  }

  turned(): void {
    this.#advance();
  }

  progressed(): void {
    this.lastWriteAt = this.limits.scheduler.now();
    const timeouts = this.#timeouts;
    timeouts?.touch('idle');
    timeouts?.touch('linger');
    timeouts?.touch('halfOpen');
    timeouts?.touch('fin');
    this.#subscribers.progressed();
  }

  writeBroken(): void {
    this.#subscribers.writeBroken(this.writeSide.error);
  }

  get isWriting(): boolean {
    return this.#wholeWrites > 0;
  }

  drained(): void {
    this.#subscribers.emit({ type: 'drain' });
  }

  closedError(): SocketError {
    return closedError(this.opening.scene);
  }

  // Not always by the peer: this side may have refused its certificate.
  #failWith(error: SocketError, how: 'reset' | 'error'): void {
    const by = isLocalDecision(error) ? 'local' : 'peer';
    if (this.#outcome.failWith(error, by, how)) {
      this.writeSide.break(error);
      publishError(this, error);
    }
    this.#advance();
  }

  /** Ends the connection with an error of this side: received bytes are dropped and the peer sees a reset. */
  #fail(error: SocketError, how: 'timeout' | 'abort' | 'error'): void {
    if (this.#life === 'closed') return;
    const isFirst = this.#outcome.failWith(markLocalDecision(error), 'local', how);
    // The peer may have failed the connection before, behind bytes that wait. That stays the reason, but now the
    // subscribers receive it at once.
    if (this.#outcome.failure) markLocalDecision(this.#outcome.failure);
    this.#readSide.drop();
    const finished = this.writeSide.state === 'finished';
    this.#breakWrites(error);
    if (this.#dial) this.#dial.cancel();
    else if (!this.#stream) this.#streamClosed = true;
    // FIN was sent after the last byte, and only the wait for the peer was cut short: no reset is needed.
    else if (finished && how === 'timeout') this.#stream.destroy();
    else this.#stream.reset();
    if (isFirst) publishError(this, error);
    this.#advance();
  }

  // A listener may leave. If the peer has ended too, that must not close the stream with a FIN before it is reset.
  #breakWrites(error: SocketError): void {
    const advancing = this.#advancing;
    this.#advancing = true;
    try {
      this.writeSide.break(error);
    } finally {
      this.#advancing = advancing;
    }
  }

  #endWithPeer(): void {
    const allowed = this.allowHalfOpen || this.#wholeWrites > 0;
    if (this.#readSide.endWasDelivered && !allowed) this.#completeWriteSide('peer');
  }

  #completeWriteSide(by: SocketControl['completedBy']): void {
    this.completedBy ??= by;
    this.writeSide.complete();
  }

  // ---- the next step

  #notifyState(): void {
    if (!this.#states) return;
    this.#states.set(this.readyState);
    this.#states.notify();
  }

  #advance(): void {
    this.#notifyState();
    if (this.#advancing || this.#life === 'closed') return;
    this.#advancing = true;
    try {
      this.#readSide.deliver(this.#closing);
    } finally {
      this.#advancing = false;
    }
    const { writeSide } = this;
    if (this.#life === 'open' && this.#wantsMore) this.#stream?.read();
    else if (this.#share?.reading === 'stopped') this.#stream?.stopReading();
    // Both sides have ended. What is not delivered yet needs no descriptor.
    if (this.#readSide.hasEnded && writeSide.done) this.#stream?.destroy();
    const flowing = this.#readSide.state === 'flowing';
    // A reader may wait for the peer as long as it likes. But close() and the error of a failed write wait too.
    const waits = this.#closing || writeSide.state === 'broken' || !this.#subscribers.hasReader;
    const isLimited = this.#hasOwnLimit || isLocalDecision(this.#outcome.failure);
    this.#setRunning('fin', flowing && writeSide.state !== 'open' && waits && !isLimited);
    // While held, a FIN that has arrived is not delivered yet, so our side is not late.
    this.#setRunning('halfOpen', !flowing && !writeSide.done && !this.flow.held);
    if (!this.#streamClosed) return;
    // While a reader is held, the rest waits for it. Without a reader it waits after the conclusion, for the next one.
    if (!this.#readSide.hasUndelivered || !this.#subscribers.hasReader) this.#conclude();
  }

  get #wantsMore(): boolean {
    return this.#claimed && !this.#nextTurn && this.#readSide.hasRoom(this.limits.highWaterMark);
  }

  #readNextTurn(): void {
    if (this.#life === 'closed') return;
    this.#nextTurn ??= setImmediate(() => {
      this.#nextTurn = undefined;
      this.#advance();
    });
  }

  #conclude(): void {
    if (this.#life === 'closed') return;
    const { writeSide, opening } = this;
    const outcome = this.#outcome;
    const whole = this.#readSide.hasEnded && writeSide.state === 'finished';
    if (this.#life === 'open' && !whole && !this.#closing && this.#subscribers.size > 0) {
      const error = destroyedError(opening.scene);
      if (outcome.failWith(error, 'local', 'abort')) publishError(this, error);
    }
    // Before the subscribers are notified: from now on there is nothing left to abort.
    this.#life = 'closed';
    if (this.#nextTurn) clearImmediate(this.#nextTurn);
    writeSide.break(outcome.failure);
    this.#timeouts?.stopAll();
    this.#writeRate?.stop();
    this.#share?.close();
    this.#usage?.stop();
    this.#ignoreSignal?.();
    const rest = this.#readSide.close();
    const report = outcome.conclude({
      bytesRead: this.bytesRead,
      bytesWritten: writeSide.written,
      bytesUnsent: writeSide.pending,
      duration: opening.duration(this.limits.scheduler),
    });
    // Bytes are lost and nobody is notified. An abort was asked for, so it needs no warning.
    const unnoticed = writeSide.lostSilently && this.#subscribers.size === 0 && outcome.how !== 'abort';
    if (outcome.failure && unnoticed) warnOfLoss(outcome.failure);
    this.#notifyState();
    publishClose(this, report, outcome.failure);
    const ended = this.#readSide.hasEnded && !this.#readSide.dropping;
    this.#subscribers.close({ type: 'close', report }, outcome.failure, rest, ended);
    const transport: Partial<StreamTransport> = this.#transport;
    if (transport.connectionClosed) guarded(() => transport.connectionClosed?.());
    outcome.notifyClosed();
  }

  // ---- leaving

  subscriberLeft(entry: SubscriberEntry): void {
    this.#subscribers.remove(entry);
    entry.consumer?.leave(this.flow);
    this.#oneLeft();
  }

  #oneLeft(): void {
    this.#advance();
    if (this.#subscribers.size > 0 || this.#life === 'closed' || this.#closing) return;
    // Both sides have ended: only the descriptor is still to be closed.
    if (this.#readSide.state === 'delivered' && this.writeSide.done) return;
    this.#usage ??= new Usage(this.limits);
    this.#usage.planLeave(() => this.#leave());
  }

  #leave(): void {
    this.#usage?.cancelPlan();
    if (this.#life === 'opening' && this.writeSide.pending === 0 && this.writeSide.state === 'open') {
      return this.abort(new Error('the last subscriber left before it was open'));
    }
    // After the peer's FIN the answer may still be on its way.
    if (this.#readSide.endWasDelivered && this.allowHalfOpen && this.writeSide.state === 'open') return;
    this.#start('linger');
    this.#startClosing('leaving');
  }

  #startClosing(by: 'close' | 'leaving'): void {
    this.#closing = true;
    this.complete(by);
  }

  // ---- limits

  #makeTimeouts(): Timeouts {
    this.#timeouts ??= new Timeouts(this.limits.scheduler, this);
    return this.#timeouts;
  }

  #start(limit: Limit): void {
    const isOfDial = limit === 'connect' || limit === 'handshake';
    const milliseconds = isOfDial ? (this.#dialTimes?.[`${limit}Timeout`] ?? 0) : this.limits[`${limit}Timeout`];
    // 0 means no limit.
    if (milliseconds > 0) this.#makeTimeouts().start(limit, milliseconds);
  }

  /** Starts or stops a limit. One that is already running keeps its time. */
  #setRunning(limit: Limit, running: boolean): void {
    if (!running) this.#timeouts?.stop(limit);
    else if (!this.#timeouts?.isRunning(limit)) this.#start(limit);
  }

  #joinBudget({ budget }: SocketLimits): BudgetShare | undefined {
    if (!budget) return undefined;
    const { writeSide } = this;
    const share = new BudgetShare(budget, {
      flush: () => writeSide.flushIfIdle(),
      fail: () => this.#fail(memoryBudgetError(writeSide.cost, budget.limit, this.opening.scene), 'error'),
      stopReading: () => this.#stream?.stopReading(),
      readOn: () => this.#advance(),
      writeOn: () => writeSide.writeOn(),
    });
    writeSide.share = share;
    this.#readSide.share = share;
    return share;
  }

  heldChanged(held: boolean): void {
    publishHold(this, held);
    if (held) {
      this.#start('hold');
      this.#timeouts?.stop('idle');
    } else {
      this.#timeouts?.stop('hold');
      if (this.#life === 'open') this.#start('idle');
    }
    this.#advance();
  }

  timedOut(timeout: string, milliseconds: number, what: string): void {
    if (timeout === 'idleTimeout') this.#subscribers.emit({ type: 'timeout' });
    const phrase = timeout === 'holdTimeout' ? `was held by ${this.#describeHolders(milliseconds)} for` : what;
    this.#fail(timeoutError(timeout, milliseconds, phrase, this.opening.scene), 'timeout');
  }

  #abortBySignal(): void {
    this.abort(this.limits.signal?.reason);
  }

  /** Each with its age if it came later than the first, and with its stack if it was traced. */
  #describeHolders(milliseconds: number): string {
    const now = this.limits.scheduler.now();
    return this.flow.holders
      .map(({ reason, since, stack }) => {
        const age = Math.round(now - since);
        // A timer may be some milliseconds early.
        const isLater = milliseconds - age > 10;
        return `${reason}${isLater ? ` (for ${age} ms)` : ''}${stack ? `, taken\n${stack}\n` : ''}`;
      })
      .join(', ');
  }
}
