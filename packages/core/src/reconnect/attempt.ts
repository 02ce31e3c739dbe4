// One attempt of a reconnecting socket: a single socket, from dialling to its end.
import { elapsedTime } from '../base/clock.js';
import { ConnectError, type SocketError } from '../base/errors.js';
import type { CloseReport, SocketEvent } from '../base/events.js';
import type { FlowSet } from '../flow/flow-set.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { controlOf, type Socket } from '../socket.js';
import { abortAll, NewConnection, type SetupLimits } from './new-connection.js';
import { readyEvent } from './ready-event.js';
import type { ReconnectEvent } from './reconnect-events.js';

/** What an attempt reports to its reconnecting socket. */
export interface AttemptHandlers {
  /** The socket carries bytes from now on. `event` is its `connect` or, over TLS, its `secureConnect`. */
  onOpen(event: ReconnectEvent): void;
  /** Any other event except `close`. */
  onEvent(event: ReconnectEvent): void;
  /** The socket has ended. `error` is `undefined` if both sides ended with FIN. */
  onEnd(report: CloseReport, error: SocketError | undefined): void;
}

export class Attempt {
  #socket: Socket;
  readonly #limits: SetupLimits;
  readonly #flow: FlowSet;
  readonly #handlers: AttemptHandlers;
  /** With `setup`: the connection before that is done. */
  #connection: NewConnection | undefined;
  #subscriber: FlowSubscriber<SocketEvent> | undefined;
  #openedAt: number | undefined;

  constructor(socket: Socket, limits: SetupLimits, flow: FlowSet, handlers: AttemptHandlers) {
    this.#socket = socket;
    this.#limits = limits;
    this.#flow = flow;
    this.#handlers = handlers;
    endWithPeer(socket);
  }

  /** After an upgrade by `setup` it is another one than that which was dialled. */
  get socket(): Socket {
    return this.#socket;
  }

  /** Dials. Handlers may run before this returns. */
  start(): void {
    if (!this.#limits.setup) return this.#use(this.#socket);
    this.#connection = new NewConnection(this.#socket, this.#limits, {
      onEvent: (event) => this.#handlers.onEvent(event as ReconnectEvent),
      onReady: (socket) => this.#use(socket),
      onEnd: (report, error) => this.#handlers.onEnd(report as CloseReport, error),
    });
    this.#connection.start();
  }

  /** Leaves the socket: no handler runs any more. */
  stop(): void {
    this.#connection?.stop();
    this.#subscriber?.unsubscribe();
  }

  /** Leaves the socket and aborts it, with what the setup has made of it. */
  abort(reason: Error): void {
    this.stop();
    abortAll(this.#socket, reason);
  }

  /**
   * How long the socket was open before the peer ended it, in milliseconds; `undefined` if it never was. While a
   * consumer holds, the end waits behind the bytes: that time does not count.
   */
  get openFor(): number | undefined {
    if (this.#openedAt === undefined) return undefined;
    const { opening, limits } = controlOf(this.#socket);
    const { scheduler } = this.#limits;
    // The socket may have a clock of its own.
    const heldBack = limits.scheduler === scheduler ? opening.endedFor(scheduler) : 0;
    return elapsedTime(scheduler) - this.#openedAt - heldBack;
  }

  /**
   * Whether the next attempt would fail with the same error: Node rejects an option, or the socket's signal has
   * aborted.
   */
  failsAgain(error: SocketError): boolean {
    if (controlOf(this.#socket).limits.signal?.aborted) return true;
    return error instanceof ConnectError && /^ERR_(INVALID|SOCKET_BAD)_/.test(error.code);
  }

  /** Receives the events of the socket. Those of an open socket that has been set up come again. */
  #use(socket: Socket): void {
    this.#socket = socket;
    endWithPeer(socket);
    const ready = readyEvent(socket);
    const handlers = this.#handlers;
    let report: CloseReport;
    this.#subscriber = new FlowSubscriber<SocketEvent>(
      undefined,
      {
        next: (event) => {
          if (event.type === 'close') report = event.report;
          else if (event.type === ready) {
            this.#openedAt = elapsedTime(this.#limits.scheduler);
            handlers.onOpen(event);
          } else handlers.onEvent(event);
        },
        error: (error) => handlers.onEnd(report, error as SocketError),
        complete: () => handlers.onEnd(report, undefined),
      },
      this.#flow,
    );
    socket.subscribe(this.#subscriber);
  }
}

// Nothing more comes from a peer that has ended its side: our side ends too, and the next connection can follow.
function endWithPeer(socket: Socket): void {
  socket.allowHalfOpen = false;
}
