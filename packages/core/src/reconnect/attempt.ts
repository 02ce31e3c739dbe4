// One attempt of a reconnecting socket: a single socket, from dialling to its end.
import type { SchedulerLike } from 'rxjs';
import { elapsedTime } from '../base/clock.js';
import { ConnectError, type SocketError } from '../base/errors.js';
import type { CloseReport, SocketEvent } from '../base/events.js';
import type { FlowSet } from '../flow/flow-set.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { controlOf, type Socket } from '../socket.js';
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
  readonly socket: Socket;
  readonly #scheduler: SchedulerLike;
  readonly #subscriber: FlowSubscriber<SocketEvent>;
  #openedAt: number | undefined;

  constructor(socket: Socket, scheduler: SchedulerLike, flow: FlowSet, handlers: AttemptHandlers) {
    this.socket = socket;
    this.#scheduler = scheduler;
    // Nothing more comes from a peer that has ended its side: our side ends too, and the next connection can follow.
    socket.allowHalfOpen = false;
    const ready = readyEvent(socket);
    let report: CloseReport;
    this.#subscriber = new FlowSubscriber<SocketEvent>(
      undefined,
      {
        next: (event) => {
          if (event.type === 'close') report = event.report;
          else if (event.type === ready) {
            this.#openedAt = elapsedTime(scheduler);
            handlers.onOpen(event);
          } else handlers.onEvent(event);
        },
        error: (error) => handlers.onEnd(report, error as SocketError),
        complete: () => handlers.onEnd(report, undefined),
      },
      flow,
    );
  }

  /** Dials. Handlers may run before this returns. */
  start(): void {
    this.socket.subscribe(this.#subscriber);
  }

  /** Leaves the socket: no handler runs any more. */
  stop(): void {
    this.#subscriber.unsubscribe();
  }

  /** How long the socket has been open, in milliseconds; `undefined` if it never was. */
  get openFor(): number | undefined {
    return this.#openedAt === undefined ? undefined : elapsedTime(this.#scheduler) - this.#openedAt;
  }

  /**
   * Whether the next attempt would fail with the same error: Node rejects an option, or the socket's signal has
   * aborted.
   */
  failsAgain(error: SocketError): boolean {
    if (controlOf(this.socket).limits.signal?.aborted) return true;
    return error instanceof ConnectError && /^ERR_(INVALID|SOCKET_BAD)_/.test(error.code);
  }
}
