// One connection of a pool: watched for as long as it lives, and while it lies idle also read, for then nothing may come.
import { defer, from, of, type Subscription, take } from 'rxjs';
import { Deadline } from '../base/deadline.js';
import { SocketError } from '../base/errors.js';
import { watchOrFail } from '../operators/watch.js';
import { readyEvent } from '../reconnect/ready-event.js';
import { connectionOf, type Socket } from '../socket.js';
import type { PoolLimits } from './pool-options.js';

/** What a connection tells its pool. */
export interface PooledConnectionHandlers {
  /** It is open. */
  opened(): void;
  /** It lay idle, and is to be given up: for so long, ended by the peer, or told what nobody had asked for. */
  done(): void;
  /** It is no more. */
  gone(error?: unknown): void;
}

export class PooledConnection {
  readonly socket: Socket;
  readonly #limits: PoolLimits;
  readonly #handlers: PooledConnectionHandlers;
  readonly #idle: Deadline;
  #resting: Subscription | undefined;
  /** Why it is to be aborted. */
  #flaw: string | undefined;
  #settle: ((valid: boolean) => void) | undefined;

  constructor(socket: Socket, limits: PoolLimits, handlers: PooledConnectionHandlers) {
    this.socket = socket;
    this.#limits = limits;
    this.#handlers = handlers;
    this.#idle = new Deadline(limits.scheduler, limits.idleTimeout, () => handlers.done());
  }

  /** Dials. It watches, and reads nothing: the socket stays open for the pool, whoever subscribes to it and leaves. */
  dial(): void {
    const gone = (error?: unknown) => {
      this.#handlers.gone(error);
      this.#settle?.(false);
      this.wake();
    };
    // When the event has been told to all it is open.
    const opened = () => queueMicrotask(() => this.#handlers.opened());
    watchOrFail(this.socket, readyEvent(this.socket)).subscribe({ next: opened, error: gone, complete: gone });
  }

  /** Whether our side is open, all is written and nobody holds it. Whether the peer's is, is told while it lies idle. */
  get fit(): boolean {
    const { writableLength, holds } = this.socket;
    return connectionOf(this.socket).writeSide.state === 'open' && writableLength === 0 && holds.length === 0;
  }

  /** Lies idle; answers whether it can. What was left unread comes now. */
  rest(): boolean {
    if (!this.fit) return false;
    let spoilt = false;
    const spoil = () => {
      spoilt = true;
      if (this.#resting) this.#handlers.done();
    };
    const resting = this.socket.subscribe({
      next: ({ type }) => {
        if (type === 'data') this.#flaw = 'bytes came that nobody had asked for';
        if (type === 'data' || type === 'end') spoil();
      },
      error: () => {}, // the watcher hears of it
    });
    if (spoilt) resting.unsubscribe();
    else {
      this.#resting = resting;
      this.#idle.start();
    }
    return !spoilt;
  }

  /** Lies idle no longer. */
  wake(): void {
    this.#idle.stop();
    this.#resting?.unsubscribe();
    this.#resting = undefined;
  }

  /** Asks `validate`, within its time limit. */
  validate(done: (valid: boolean) => void): void {
    const { validate = () => true, validateTimeout, scheduler } = this.#limits;
    let asking: Subscription | undefined;
    const settle = (valid: boolean) => {
      if (this.#settle !== settle) return;
      this.#settle = undefined;
      deadline.stop();
      asking?.unsubscribe();
      done(valid);
    };
    const deadline = new Deadline(scheduler, validateTimeout, () => settle(false));
    this.#settle = settle;
    deadline.start();
    const answer = defer(() => {
      const valid = validate(this.socket);
      return typeof valid === 'object' ? from(valid) : of(valid);
    });
    asking = answer.pipe(take(1)).subscribe({
      next: (valid) => settle(valid === true),
      error: (error) => {
        // The socket's own failure is an answer; any other is somebody's mistake.
        if (!(error instanceof SocketError)) process.emitWarning(error as Error);
        settle(false);
      },
      complete: () => settle(false),
    });
  }

  /** Closes it, gracefully if there is no reason to abort it. */
  end(reason = this.#flaw): void {
    this.wake();
    if (reason === undefined) void this.socket.close();
    else this.socket.error(new Error(reason));
  }
}
