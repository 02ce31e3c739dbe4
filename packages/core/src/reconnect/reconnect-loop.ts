// The state machine of a reconnecting link:
//
//   idle ──start──▶ connecting ──connect──▶ open ──over──▶ waiting ──backoff──▶ connecting      any of them ──▶ closed
//    ▲                                                                                            │
//    └────────────────────────── everybody has left: what there is, is let go ────────────────────┘
//
// and `ending`, which is never taken back: when all that waits was given to a connection, that connection is the last.
import type { Subscriber, Subscription } from 'rxjs';
import { Deadline } from '../base/deadline.js';
import { AbortedError, ConnectError, SocketError, SocketTimeoutError } from '../base/errors.js';
import type { CloseReport, SocketEvent } from '../base/events.js';
import { States } from '../base/states.js';
import { FlowSet } from '../flow/flow.js';
import { FlowSubscriber } from '../flow/flowable.js';
import { connectionOf, type Socket } from '../socket.js';
import type { Backoff } from './backoff.js';
import { ReconnectError } from './errors.js';
import { readyEvent } from './ready-event.js';
import type { ReconnectEvent } from './reconnect-events.js';
import type { ReconnectLimits } from './reconnect-options.js';
import { ReconnectSubscribers } from './reconnect-subscribers.js';
import { ReconnectWrites } from './reconnect-writes.js';
import type { SocketFactory } from './socket-factory.js';

const WRITE_AFTER_END = 'ERR_STREAM_WRITE_AFTER_END';

/** See {@link ReconnectingSocket.readyState}. */
export type ReconnectState = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

export class ReconnectLoop {
  readonly flow = new FlowSet();
  readonly writes: ReconnectWrites;
  readonly states = new States<ReconnectState>('idle');
  ending: 'no' | 'complete' | 'close' = 'no';
  /** The present connection, or the one that is being made. */
  socket: Socket | undefined;

  readonly #sockets: SocketFactory;
  readonly #backoff: Backoff;
  readonly #limits: ReconnectLimits;
  readonly #audience: ReconnectSubscribers;
  readonly #concluded: (() => void)[] = [];
  #incoming: Subscription | undefined;
  #openedAt: number | undefined;
  #retry: Subscription | undefined;
  #failure: unknown;

  constructor(sockets: SocketFactory, backoff: Backoff, limits: ReconnectLimits) {
    this.#sockets = sockets;
    this.#backoff = backoff;
    this.#limits = limits;
    this.#audience = new ReconnectSubscribers(this.flow, limits.scheduler, () => this.#leave());
    this.writes = new ReconnectWrites(limits, {
      drained: () => this.#audience.emit({ type: 'drain' }),
      emptied: () => this.#finish(),
      dropped: (bytes) => this.#audience.emit({ type: 'overflow', bytes }),
      overflowed: (error) => this.fail(error),
    });
  }

  get state(): ReconnectState {
    return this.states.current;
  }

  subscribe(subscriber: Subscriber<ReconnectEvent>): void {
    this.#audience.add(subscriber, () => this.start());
  }

  /** Why nothing more can be written; `undefined` while it can. */
  get refusal(): unknown {
    if (this.ending !== 'no') return closedError('Written after complete(): the bytes were not sent', WRITE_AFTER_END);
    return this.state === 'closed' ? (this.#failure ?? closedError('The link is closed')) : undefined;
  }

  start(): void {
    if (this.state !== 'idle') return;
    this.#limits.signal?.addEventListener('abort', this.#onSignal, { once: true });
    if (this.#limits.signal?.aborted) this.#onSignal();
    else this.#dial();
  }

  /** Sends FIN when all has been given to a connection; what ends that connection ends the link. */
  complete(ending: 'complete' | 'close' = 'complete'): void {
    if (this.state === 'closed' || this.ending === 'close') return;
    this.ending = ending;
    if (ending === 'close') {
      const nothing = this.writes.empty && (this.state === 'idle' || this.state === 'connecting');
      if (nothing) return this.#letGo(new Error('it was closed before it was open'));
    }
    this.start();
    if (this.state === 'open') this.writes.feed();
    else if (this.state === 'waiting' && this.writes.empty) this.#conclude();
  }

  /** As `complete`, and nobody need read what still arrives; fails after `timeout` milliseconds. */
  async close(timeout: number): Promise<void> {
    if (this.state === 'closed') return;
    const concluded = new Promise<void>((resolve) => this.#concluded.push(resolve));
    const message = `The link did not end by itself for ${timeout} ms, the timeout of close()`;
    const options = { phase: 'close', timeout: 'close({ timeout })', milliseconds: timeout } as const;
    const expire = () => this.fail(new SocketTimeoutError(message, options));
    const deadline = new Deadline(this.#limits.scheduler, timeout, expire);
    if (timeout === 0) expire();
    else deadline.start();
    this.complete('close');
    await concluded;
    deadline.stop();
  }

  abort(reason: unknown): void {
    const why = reason instanceof Error ? `: ${reason.message}` : '';
    this.fail(new AbortedError(`The link was aborted from this side${why}`, { phase: 'close', cause: reason }));
  }

  /** Ends the link with an error, and its connection with a reset. */
  fail(error: SocketError): void {
    if (this.state !== 'closed') this.#letGo(error, error);
  }

  // ---- one connection after another

  #dial(): void {
    this.states.set('connecting');
    let socket: Socket;
    try {
      socket = this.#sockets.make();
    } catch (error) {
      return this.#conclude(error);
    }
    // Nothing more comes of a peer that has ended: it is time for the next connection.
    socket.allowHalfOpen = false;
    this.socket = socket;
    let report: CloseReport;
    const ready = readyEvent(socket);
    const over = (error?: SocketError) => this.#lost(socket, report, error);
    const incoming = new FlowSubscriber<SocketEvent>(
      undefined,
      {
        next: (event) => {
          if (event.type === 'close') report = event.report;
          else if (event.type === ready) this.#opened(socket, event);
          else if (event.type === 'drain') this.writes.feed();
          else this.#audience.emit(event);
        },
        error: (error) => over(error as SocketError),
        complete: over,
      },
      this.flow,
    );
    this.#incoming = incoming;
    socket.subscribe(incoming);
    this.states.notify();
  }

  #opened(socket: Socket, event: ReconnectEvent): void {
    this.states.set('open');
    this.#openedAt = this.#limits.scheduler.now();
    this.writes.open(socket, () => this.#audience.emit(event));
    this.states.notify();
  }

  #lost(socket: Socket, report: CloseReport, error: SocketError | undefined): void {
    if (this.#openedAt !== undefined) this.#backoff.lasted(this.#limits.scheduler.now() - this.#openedAt);
    this.#detach();
    this.states.set('waiting');
    this.#audience.emit({ type: 'disconnect', error, report });
    this.states.notify();
    // Who was told may have ended it.
    if (this.state !== 'waiting') return;
    const last = this.ending !== 'no' && this.writes.empty;
    if (last || (error && isHopeless(error, socket))) return this.#conclude(error);
    const { attempts } = this.#backoff;
    if (attempts >= this.#limits.maxRetries) {
      const how = error ? error.message : 'the peer ended the connection';
      const message = `There is no connection after ${attempts} retries (maxRetries), at last: ${how}`;
      return this.#conclude(new ReconnectError(message, { attempts, cause: error }));
    }
    const delay = this.#backoff.next();
    this.#retry = this.#limits.scheduler.schedule(() => this.#dial(), delay);
    this.#audience.emit({ type: 'retry', attempt: attempts + 1, delay });
  }

  // ---- the end

  /** All that waited was given to the connection. */
  #finish(): void {
    if (this.state !== 'open' || !this.socket) return;
    if (this.ending === 'complete') this.socket.complete();
    else if (this.ending === 'close') void this.socket.close({ timeout: Number.POSITIVE_INFINITY });
  }

  #conclude(error?: unknown): void {
    if (this.state === 'closed') return;
    this.states.set('closed');
    this.#failure = error;
    this.#stop(error);
    this.states.notify();
    this.#audience.close(error);
    for (const resolve of this.#concluded) resolve();
  }

  /** Aborts the connection, if there is one, and ends. */
  #letGo(reason: Error, error?: SocketError): void {
    const { socket } = this;
    this.#detach();
    socket?.error(reason);
    this.#conclude(error);
  }

  // Everybody has left. A connection that is open closes as a socket does, gracefully; one that is not yet is given up.
  #leave(): boolean {
    const { socket, state } = this;
    if (state === 'closed' || this.ending === 'close') return false;
    if (state === 'open') this.writes.feed(true);
    this.#detach();
    if (state !== 'open') socket?.error(new Error('everybody had left before it was open'));
    else if (socket && connectionOf(socket).limits.keepOpen !== false) void socket.close();
    if (this.ending === 'no') this.states.set('idle');
    else this.#conclude();
    this.#stop();
    this.states.notify();
    return true;
  }

  #stop(error?: unknown): void {
    this.#retry?.unsubscribe();
    this.#backoff.attempts = 0;
    this.#limits.signal?.removeEventListener('abort', this.#onSignal);
    const closed = closedError('The link was closed before there was a connection for what was written');
    const lost = this.writes.drop(error ?? closed);
    // Lost bytes that nobody hears of, unless somebody wanted it so.
    const unheard = lost > 0 && (error === undefined || this.#audience.empty);
    if (unheard && !(error instanceof AbortedError)) process.emitWarning((error as Error) ?? closed);
  }

  #detach(): void {
    this.#incoming?.unsubscribe();
    this.#incoming = undefined;
    this.#openedAt = undefined;
    this.socket = undefined;
    this.writes.close();
  }

  readonly #onSignal = () => this.abort(this.#limits.signal?.reason);
}

function closedError(message: string, code = 'ERR_SOCKET_CLOSED'): SocketError {
  return new SocketError(message, { code, phase: 'write' });
}

/** Whether another attempt would fail in the same way: an option that Node refuses, or a signal that has been given. */
function isHopeless(error: SocketError, socket: Socket): boolean {
  if (connectionOf(socket).limits.signal?.aborted) return true;
  return error instanceof ConnectError && /^ERR_(INVALID|SOCKET_BAD)_/.test(error.code);
}
