// The state machine of one connection. It has three states, which change independently of each other:
//
//   life         idle ──dial──▶ opening ──ready──▶ open ──▶ closed         any ──failure──▶ closed
//   read side    flowing ──peer's FIN──▶ ended ──delivered──▶ delivered     flowing ──failure──▶ cut
//   write side   open ──complete()──▶ completing ──FIN sent──▶ finished     open, completing ──failure──▶ broken
//
// and one flag, `closing`, which never becomes false again: close() was called or the last subscriber has left, so
// received bytes that no reader takes are dropped. `ready` is the event of the transport that says that the stream is
// open: TCP is connected, the TLS handshake is done.
//
// Everything that happens changes one of these states and then calls advance(). Only advance() takes the next step: it
// delivers what can be delivered, reads on, destroys the stream when both sides have ended, starts and stops time
// limits, and concludes when the stream is closed and everything was delivered. A connection reads while it is claimed
// and has room to read ahead; it delivers while it has a reader and no hold.
//
// Three classes build on each other, because a connection is one object: many of them idle. This one has the states and
// what follows from them; StreamedConnection, what the dial and the Node stream report; Connection, what sockets and
// operators ask for. Their parts: Opening (the way to an open stream), ReadSide, WriteSide, Subscribers (who receives
// events), Usage (claim, leave, keepOpen), Timeouts, Outcome (how and why it ended), NodeStream (the Duplex beneath).
import type { Observable } from 'rxjs';
import type { SocketError } from '../base/errors.js';
import { guarded } from '../base/guarded.js';
import { isLocalDecision, markLocalDecision } from '../base/local-decision.js';
import { clearImmediate, setImmediate } from '../base/real-timers.js';
import { States } from '../base/states.js';
import { Holds } from '../flow/holds.js';
import type { ConnectionRole } from '../observe/messages.js';
import { type ObservedConnection, publishClose, publishError } from '../observe/socket-events.js';
import { type BudgetedConnection, type BudgetShare, joinBudget } from './budget-share.js';
import { abortedError, closedError, destroyedError, memoryBudgetError, timeoutError } from './connection-errors.js';
import type { SocketControl } from './control.js';
import type { SocketLimits } from './limits.js';
import type { NodeStream } from './node-stream.js';
import { Opening } from './opening.js';
import { Outcome } from './outcome.js';
import { PeerProgress } from './peer-progress.js';
import { ReadSide, type ReadSideHandlers } from './read-side.js';
import type { SubscriberEntry, SubscriberOwner } from './subscriber-entry.js';
import { Subscribers } from './subscribers.js';
import { type DialTimes, Timeouts, type TimeoutsOwner } from './timeouts.js';
import type { Dial, StreamTransport, Transport, TransportType } from './transport.js';
import { warnOfLoss } from './unnoticed-loss.js';
import type { Usage } from './usage.js';
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
export type ConnectionStart = DialTimes | 'open';

// It is itself what its parts report to: functions of their own would cost each connection a kilobyte.
export abstract class ConnectionMachine
  implements ReadSideHandlers, WriteSideHandlers, SubscriberOwner, TimeoutsOwner, BudgetedConnection, ObservedConnection
{
  readonly flow: Holds;
  readonly writeSide: WriteSide;
  readonly limits: SocketLimits;
  readonly opening: Opening;
  allowHalfOpen: boolean;
  /** The Socket, which the diagnostics channels show. It is created after the connection. */
  socket: object | undefined;
  bytesRead = 0;
  lastReadAt: number | undefined;
  lastWriteAt: number | undefined;
  /** What completed the write side. */
  completedBy: SocketControl['completedBy'];

  /** Whether close() was called, or the last subscriber has left. */
  closing = false;

  protected life: 'idle' | 'opening' | 'open' | 'closed' = 'idle';
  protected readonly transport: Transport;
  protected readonly subscribers: Subscribers;
  protected readonly readSide: ReadSide;
  protected readonly timeouts: Timeouts;
  /** `undefined` without `minWriteRate`. */
  protected readonly writeRate: WriteRate | undefined;
  protected readonly outcome = new Outcome();
  /** `undefined` until it waits for its first use, or its last subscriber has left. */
  protected usage: Usage | undefined;
  /** Whether the connection has been used. Until then it does not read. */
  protected claimed: boolean;
  /** How many writes that must arrive whole are in progress. */
  protected wholeWrites = 0;
  /** While dialling: there is no stream yet. */
  protected dialling: Dial | undefined;
  protected stream: NodeStream | undefined;
  protected streamClosed = false;
  /** Stops listening to the signal. */
  protected ignoreSignal: (() => void) | undefined;
  /** `undefined` without a memory budget. */
  readonly #share: BudgetShare | undefined;
  /** `undefined` until somebody observes it. */
  #states: States<ReadyState> | undefined;
  #progress: PeerProgress | undefined;
  #advancing = false;
  /** Reads on in a later turn, because the budget of this one is used up. */
  #nextTurn: NodeJS.Immediate | undefined;

  constructor(transport: Transport, limits: SocketLimits, start: ConnectionStart) {
    this.transport = transport;
    this.limits = limits;
    // Other streams may have virtual time, where there is no event loop. carry() sees which.
    const isRealTime = transport.type !== 'duplex';
    this.flow = new Holds(this, isRealTime, limits.scheduler);
    this.allowHalfOpen = limits.allowHalfOpen;
    this.subscribers = new Subscribers(this, limits.scheduler);
    this.readSide = new ReadSide(this.subscribers, this.flow, limits.scheduler, this);
    this.writeSide = new WriteSide(limits, this);
    this.writeRate = measureWrites(limits, this);
    this.#share = joinBudget(limits, this, this.readSide);
    this.opening = new Opening(transport, this.subscribers);
    this.timeouts = new Timeouts(this, start === 'open' ? undefined : start);
    this.claimed = start !== 'open';
  }

  abstract subscriberLeft(entry: SubscriberEntry): void;
  abstract heldChanged(held: boolean): void;

  // ---- what it shows

  get readyState(): ReadyState {
    if (this.life === 'opening') return this.opening.step;
    if (this.life !== 'open') return this.life;
    const input = this.readSide.state === 'flowing';
    const output = !this.writeSide.done;
    if (this.closing || this.outcome.failure || !(input || output)) return 'closing';
    if (input && output) return 'open';
    return input ? 'readOnly' : 'writeOnly';
  }

  get readyStates(): Observable<ReadyState> {
    this.#states ??= new States(this.readyState);
    return this.#states.changes;
  }

  get type(): TransportType {
    return this.transport.type;
  }

  get role(): ConnectionRole {
    if (this.type === 'duplex') return undefined;
    return this.transport.role ?? 'client';
  }

  get copiesWrites(): boolean {
    return this.stream?.isNetSocket ?? false;
  }

  get progress(): PeerProgress {
    this.#progress ??= new PeerProgress(() => this.stream?.duplex);
    return this.#progress;
  }

  protected get isClosed(): boolean {
    return this.life === 'closed';
  }

  protected notifyState(): void {
    if (!this.#states) return;
    this.#states.set(this.readyState);
    this.#states.notify();
  }

  // ---- the next step

  protected advance(): void {
    this.notifyState();
    if (this.#advancing || this.life === 'closed') return;
    this.#advancing = true;
    try {
      this.readSide.deliver();
    } finally {
      this.#advancing = false;
    }
    // A subscriber may have passed the stream on: then nothing is left to do, and no limit may start.
    if (this.isClosed) return;
    const { readSide, writeSide, timeouts } = this;
    if (this.life === 'open' && this.wantsMore) this.stream?.read();
    else if (this.#share?.reading === 'stopped') this.stream?.stopReading();
    // Both sides have ended. What is not delivered yet needs no descriptor.
    if (readSide.hasEnded && writeSide.done) this.stream?.destroy();
    const flowing = readSide.state === 'flowing';
    // A reader may wait for the peer as long as it likes. But close() and the error of a failed write wait too.
    const waits = this.closing || writeSide.state === 'broken' || !this.subscribers.hasReader;
    const isLimited = timeouts.hasCloseLimit || isLocalDecision(this.outcome.failure);
    if (flowing && writeSide.state !== 'open' && !isLimited) timeouts.setPaused('fin', !waits);
    else timeouts.stop('fin');
    // While held, a FIN that has arrived is not delivered yet, so our side is not late.
    if (flowing || writeSide.hasEnded || timeouts.hasCloseLimit) timeouts.stop('halfOpen');
    else timeouts.setPaused('halfOpen', this.flow.held);
    if (!this.streamClosed) return;
    // While a reader is held, the rest waits for it. Without a reader it waits after the conclusion, for the next one.
    if (!readSide.hasUndelivered || !this.subscribers.hasReader) this.conclude();
  }

  protected get wantsMore(): boolean {
    return this.claimed && !this.#nextTurn && this.readSide.hasRoom(this.limits.highWaterMark);
  }

  protected readNextTurn(): void {
    if (this.life === 'closed') return;
    this.#nextTurn ??= setImmediate(() => {
      this.#nextTurn = undefined;
      this.advance();
    });
  }

  protected conclude(): void {
    if (this.life === 'closed') return;
    const { readSide, writeSide, opening, outcome } = this;
    const whole = readSide.hasEnded && writeSide.state === 'finished';
    if (this.life === 'open' && !whole && !this.closing && this.subscribers.size > 0) {
      const error = destroyedError(opening.scene);
      if (outcome.failWith(error, 'local', 'abort')) publishError(this, error);
    }
    // Before the subscribers are notified: from now on there is nothing left to abort.
    this.life = 'closed';
    if (this.#nextTurn) clearImmediate(this.#nextTurn);
    writeSide.break(outcome.failure);
    this.timeouts.stopAll();
    this.writeRate?.stop();
    this.#share?.close();
    this.usage?.stop();
    this.ignoreSignal?.();
    const rest = readSide.close();
    const report = outcome.conclude({
      bytesRead: this.bytesRead,
      bytesWritten: writeSide.written,
      bytesUnsent: writeSide.pending,
      duration: opening.duration(this.limits.scheduler),
    });
    // Bytes are lost and nobody is notified. An abort was asked for, so it needs no warning.
    const unnoticed = writeSide.lostSilently && this.subscribers.size === 0 && outcome.how !== 'abort';
    if (outcome.failure && unnoticed) warnOfLoss(outcome.failure);
    this.notifyState();
    publishClose(this, report, outcome.failure);
    const ended = readSide.hasEnded && !readSide.dropping;
    this.subscribers.close({ type: 'close', report }, outcome.failure, rest, ended);
    const transport: Partial<StreamTransport> = this.transport;
    if (transport.connectionClosed) guarded(() => transport.connectionClosed?.());
    outcome.notifyClosed();
  }

  // ---- failures

  /** Ends the connection with an error of this side: received bytes are dropped and the peer sees a reset. */
  protected fail(error: SocketError, how: 'timeout' | 'abort' | 'error'): void {
    if (this.life === 'closed') return;
    const isFirst = this.outcome.failWith(markLocalDecision(error), 'local', how);
    // The peer may have failed the connection before, behind bytes that wait. That stays the reason, but now the
    // subscribers receive it at once.
    if (this.outcome.failure) markLocalDecision(this.outcome.failure);
    this.readSide.drop();
    const finished = this.writeSide.state === 'finished';
    this.#breakWrites(error);
    if (this.dialling) this.dialling.cancel();
    else if (!this.stream) this.streamClosed = true;
    // FIN was sent after the last byte, and only the wait for the peer was cut short: no reset is needed.
    else if (finished && how === 'timeout') this.stream.destroy();
    else this.stream.reset();
    if (isFirst) publishError(this, error);
    this.advance();
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

  abort(reason: unknown): void {
    this.fail(abortedError(reason, this.opening.scene), 'abort');
  }

  timedOut(timeout: string, milliseconds: number, what: string): void {
    if (timeout === 'idleTimeout') this.subscribers.emit({ type: 'timeout' });
    const phrase = timeout === 'holdTimeout' ? `was held by ${this.flow.describe(milliseconds)} for` : what;
    this.fail(timeoutError(timeout, milliseconds, phrase, this.opening.scene), 'timeout');
  }

  // ---- what a memory budget asks for

  overBudget(limit: number): void {
    this.fail(memoryBudgetError(this.writeSide.cost, limit, this.opening.scene), 'error');
  }

  stopReading(): void {
    this.stream?.stopReading();
  }

  readOn(): void {
    this.advance();
  }

  // ---- what its two sides report

  turned(): void {
    this.advance();
  }

  endDelivered(): void {
    this.endWithPeer();
  }

  /** After the peer's FIN our side ends too, unless it may stay open. */
  protected endWithPeer(): void {
    const allowed = this.allowHalfOpen || this.wholeWrites > 0;
    if (this.readSide.endWasDelivered && !allowed) this.completeWriteSide('peer');
  }

  protected completeWriteSide(by: SocketControl['completedBy']): void {
    this.completedBy ??= by;
    this.writeSide.complete();
  }

  progressed(): void {
    this.lastWriteAt = this.limits.scheduler.now();
    this.timeouts.touchWritten();
    this.subscribers.progressed();
  }

  writeBroken(): void {
    this.subscribers.writeBroken(this.writeSide.error);
  }

  get isWriting(): boolean {
    return this.wholeWrites > 0;
  }

  drained(): void {
    this.subscribers.emit({ type: 'drain' });
  }

  closedError(): SocketError {
    return closedError(this.opening.scene);
  }
}
