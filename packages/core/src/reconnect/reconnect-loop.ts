// The state machine of a reconnecting socket:
//
//   idle ──start──▶ connecting ──ready──▶ open ──ended──▶ waiting ──delay──▶ connecting        any state ──▶ closed
//    ▲                                                                           │
//    └───────────────── the last subscriber has left (from any state) ───────────┘
//
// `ending` is independent of the state and never becomes `no` again: once everything that waits was handed to a
// connection, that connection is the last one.
import type { Subscriber, Subscription } from 'rxjs';
import { onAbortSignal } from '../base/abort-signals.js';
import { bindContext } from '../base/async-context.js';
import { checkBoolean } from '../base/check.js';
import { closeWithin } from '../base/close-within.js';
import { AbortedError, SocketError, SocketTimeoutError } from '../base/errors.js';
import type { CloseReport } from '../base/events.js';
import { handled } from '../base/handled.js';
import { markLocalDecision } from '../base/local-decision.js';
import { States } from '../base/states.js';
import { asError, reasonText } from '../base/thrown.js';
import { FlowSet } from '../flow/flow-set.js';
import { liveReconnects, type ObservedReconnect, type ReconnectEnd } from '../observe/live.js';
import { publishReconnectClose, publishRetry } from '../observe/reconnect-events.js';
import { controlOf, type Socket } from '../socket.js';
import { Attempt } from './attempt.js';
import type { Backoff } from './backoff.js';
import { ReconnectError } from './errors.js';
import type { ReconnectEvent } from './reconnect-events.js';
import type { ReconnectLimits } from './reconnect-options.js';
import { ReconnectSubscribers } from './reconnect-subscribers.js';
import { ReconnectWrites } from './reconnect-writes.js';
import type { SocketFactory } from './socket-factory.js';

/** The states of a {@link ReconnectingSocket}: see {@link ReconnectingSocket.readyState}. */
export type ReconnectState = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

export class ReconnectLoop implements ObservedReconnect {
  readonly flow = new FlowSet();
  readonly writes: ReconnectWrites;
  readonly states = new States<ReconnectState>('idle');
  /** The call that ends the reconnecting socket; `no` before such a call. */
  ending: 'no' | 'complete' | 'close' = 'no';
  /** The reconnecting socket, for the diagnostics channels. */
  owner: object | undefined;
  retryAt: number | undefined;
  lastEnd: ReconnectEnd | undefined;

  readonly #sockets: SocketFactory;
  readonly #backoff: Backoff;
  readonly #limits: ReconnectLimits;
  readonly #subscribers: ReconnectSubscribers;
  /** Called when the reconnecting socket is closed. */
  readonly #onClosed: (() => void)[] = [];
  /** The current connection, or the attempt to make one. */
  #attempt: Attempt | undefined;
  #retry: Subscription | undefined;
  #error: unknown;

  constructor(sockets: SocketFactory, backoff: Backoff, limits: ReconnectLimits) {
    this.#sockets = sockets;
    this.#backoff = backoff;
    this.#limits = limits;
    this.#subscribers = new ReconnectSubscribers(this.flow, limits.scheduler, () => this.#stopWhenUnused());
    this.writes = new ReconnectWrites(limits, {
      onDrain: () => this.#subscribers.emit({ type: 'drain' }),
      onEmpty: () => this.#endLastConnection(),
      onDrop: (bytes) => this.#subscribers.emit({ type: 'overflow', bytes }),
      onOverflow: (error) => this.fail(error),
    });
    liveReconnects.add(this);
  }

  get state(): ReconnectState {
    return this.states.current;
  }

  get socket(): Socket | undefined {
    return this.#attempt?.socket;
  }

  get target(): string {
    return this.#sockets.target;
  }

  get retries(): number {
    return this.#backoff.attempts;
  }

  /** The error for a write that comes too late; `undefined` while writing is possible. */
  get writeError(): unknown {
    if (this.ending !== 'no') {
      return notWrittenError('Written after complete(): the bytes were not sent', 'ERR_STREAM_WRITE_AFTER_END');
    }
    return this.state === 'closed' ? (this.#error ?? notWrittenError('The reconnecting socket is closed')) : undefined;
  }

  subscribe(subscriber: Subscriber<ReconnectEvent>): void {
    this.#subscribers.add(subscriber, () => this.start());
  }

  start(): void {
    if (this.state !== 'idle') return;
    if (this.#limits.signal) this.#ignoreSignal = onAbortSignal(this.#limits.signal, this.#onSignal);
    if (this.#limits.signal?.aborted) this.#onSignal();
    else this.#dial();
  }

  /** Sends FIN when everything that waits was handed to a connection. When that connection ends, closes for good. */
  complete(ending: 'complete' | 'close' = 'complete'): void {
    if (this.state === 'closed' || this.ending === 'close') return;
    this.ending = ending;
    if (ending === 'close') {
      const unused = this.writes.empty && (this.state === 'idle' || this.state === 'connecting');
      if (unused) return this.#abortAttempt(new Error('the reconnecting socket was closed before it was open'));
    }
    this.start();
    if (this.state === 'open') this.writes.flush();
    else if (this.state === 'waiting' && this.writes.empty) this.#end();
  }

  /** As `complete`, but drops what nobody reads, and fails after `timeout` milliseconds. */
  async close(timeout: number): Promise<void> {
    if (this.state === 'closed') return;
    const closed = new Promise<void>((resolve) => this.#onClosed.push(resolve));
    const expire = () => {
      const message = `The reconnecting socket did not close within ${timeout} ms, the timeout of close()`;
      const options = { phase: 'close', timeout: 'close({ timeout })', milliseconds: timeout } as const;
      this.fail(new SocketTimeoutError(message, options));
    };
    await closeWithin(this.#limits.scheduler, timeout, expire, () => {
      this.complete('close');
      return closed;
    });
  }

  abort(reason: unknown): void {
    const message = `The reconnecting socket was aborted from this side${reasonText(reason)}`;
    this.fail(new AbortedError(message, { phase: 'close', cause: reason }));
  }

  /** Ends with an error of this side: resets the connection, if there is one. */
  fail(error: SocketError): void {
    if (this.state !== 'closed') this.#abortAttempt(error, markLocalDecision(error));
  }

  // ---- one connection after another

  // Runs in the context of the code that created the reconnecting socket, because its subscribers come and go.
  readonly #dial = bindContext(() => this.#startAttempt());

  #startAttempt(): void {
    this.states.set('connecting');
    this.retryAt = undefined;
    let socket: Socket;
    try {
      socket = this.#sockets.make();
    } catch (error) {
      // Without an error it would complete.
      return this.#end(error ?? asError(error));
    }
    // The user's function may have ended the reconnecting socket.
    if (this.state !== 'connecting') return socket.error(new Error('the reconnecting socket has ended'));
    const attempt = new Attempt(socket, this.#limits, this.flow, {
      onOpen: (event) => this.#opened(attempt.socket, event),
      onEvent: (event) => {
        if (event.type === 'drain') this.writes.flush();
        else this.#subscribers.emit(event);
      },
      onEnd: (report, error) => this.#ended(attempt, report, error),
    });
    this.#attempt = attempt;
    attempt.start();
    this.states.notify();
  }

  #opened(socket: Socket, event: ReconnectEvent): void {
    this.states.set('open');
    this.writes.attach(socket, () => this.#subscribers.emit(event));
    this.states.notify();
  }

  #ended(attempt: Attempt, report: CloseReport, error: SocketError | undefined): void {
    if (attempt.openFor !== undefined) this.#backoff.connectionEnded(attempt.openFor);
    this.#leaveAttempt();
    this.lastEnd = { at: this.#limits.scheduler.now(), report, error };
    this.states.set('waiting');
    this.#subscribers.emit({ type: 'disconnect', error, report });
    this.states.notify();
    // A subscriber may have closed the reconnecting socket meanwhile.
    if (this.state !== 'waiting') return;
    const wasLast = this.ending !== 'no' && this.writes.empty;
    if (wasLast || (error && attempt.failsAgain(error))) return this.#end(error);
    try {
      const retries: unknown = this.#limits.shouldRetry(error);
      if (retries instanceof Promise) handled(retries);
      checkBoolean('What shouldRetry returns', retries);
      // It may have ended the reconnecting socket.
      if (this.state !== 'waiting') return;
      if (!retries) return this.#end(error);
    } catch (thrown) {
      return this.#end(thrown ?? asError(thrown));
    }
    const { attempts } = this.#backoff;
    if (attempts >= this.#limits.maxRetries) {
      const why = error ? error.message : 'the peer ended the connection';
      const message = `Cannot reconnect after ${attempts} retries (maxRetries): ${why}`;
      return this.#end(new ReconnectError(message, { attempts, cause: error }));
    }
    const delay = this.#backoff.nextDelay();
    const { scheduler } = this.#limits;
    this.retryAt = scheduler.now() + delay;
    this.#retry = scheduler.schedule(() => this.#dial(), delay);
    publishRetry(this, attempts + 1, delay, error);
    this.#subscribers.emit({ type: 'retry', attempt: attempts + 1, delay });
  }

  // ---- the end

  /** Ends our side of the last connection. Called when everything that waited was handed to the connection. */
  #endLastConnection(): void {
    const { socket, ending } = this;
    if (this.state !== 'open' || !socket) return;
    if (ending === 'complete') socket.complete();
    else if (ending === 'close') void socket.close({ timeout: Number.POSITIVE_INFINITY });
  }

  /** Closes for good. Without an error, subscribers complete. */
  #end(error?: unknown): void {
    if (this.state === 'closed') return;
    this.states.set('closed');
    this.#error = error;
    this.#stop(error);
    this.states.notify();
    publishReconnectClose(this, error);
    this.#subscribers.end(error);
    for (const onClosed of this.#onClosed) onClosed();
  }

  /** Resets the connection, if there is one, and ends. */
  #abortAttempt(reason: Error, error?: SocketError): void {
    const attempt = this.#attempt;
    this.#leaveAttempt();
    attempt?.abort(reason);
    this.#end(error);
  }

  /**
   * Stops after the last subscriber has left: closes an open connection gracefully and gives up one that is not open
   * yet.
   * @returns `false` if there is nothing to stop: `close()` is under way, which needs no subscribers, or has finished.
   */
  #stopWhenUnused(): boolean {
    const { socket, state } = this;
    const attempt = this.#attempt;
    if (state === 'closed' || this.ending === 'close') return false;
    if (state === 'open') this.writes.flush({ ignoreHighWaterMark: true });
    this.#leaveAttempt();
    if (state !== 'open') attempt?.abort(new Error('the last subscriber left before the connection was open'));
    // Otherwise the socket closes on its own, because its only subscriber has left.
    else if (socket && controlOf(socket).limits.keepOpen !== false) void socket.close();
    if (this.ending === 'no') this.states.set('idle');
    else this.#end();
    this.#stop();
    this.states.notify();
    return true;
  }

  #stop(error?: unknown): void {
    this.#retry?.unsubscribe();
    this.retryAt = undefined;
    this.#backoff.reset();
    this.#ignoreSignal?.();
    const closed = notWrittenError('The reconnecting socket closed before it could send all that was written');
    const unreported = this.writes.drop(error ?? closed);
    // Warns of lost bytes that nobody is notified of, unless the user dropped them with an abort.
    const unnoticed = unreported > 0 && (error === undefined || this.#subscribers.empty);
    if (unnoticed && !(error instanceof AbortedError)) process.emitWarning((error as Error) ?? closed);
  }

  #leaveAttempt(): void {
    this.#attempt?.stop();
    this.#attempt = undefined;
    this.writes.detach();
  }

  #ignoreSignal: (() => void) | undefined;

  readonly #onSignal = () => this.abort(this.#limits.signal?.reason);
}

function notWrittenError(message: string, code = 'ERR_SOCKET_CLOSED'): SocketError {
  return new SocketError(message, { code, phase: 'write' });
}
