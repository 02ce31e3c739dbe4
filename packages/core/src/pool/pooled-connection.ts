// One connection of a pool. The pool watches it as long as it lives, and reads it while it is idle: nothing may arrive
// then.
import { defer, from, of, type Subscription, take } from 'rxjs';
import { Deadline } from '../base/deadline.js';
import { AbortedError, SocketError } from '../base/errors.js';
import { reasonText } from '../base/thrown.js';
import { NewConnection } from '../reconnect/new-connection.js';
import { controlOf, type Socket } from '../socket.js';
import { watch } from '../transfer/watch.js';
import type { PoolLimits } from './pool-options.js';

/** What a connection reports to its pool. */
export interface PooledConnectionHandlers {
  onOpen(): void;
  /** It was idle and must not be used again: `idleTimeout` passed, the peer ended it, or unexpected bytes came. */
  onUnusable(): void;
  /** It has closed, or could not be opened. */
  onClosed(error?: unknown): void;
}

export class PooledConnection {
  #socket: Socket;
  /** Until it is open and set up. */
  #opening: NewConnection | undefined;
  readonly #limits: PoolLimits;
  readonly #handlers: PooledConnectionHandlers;
  readonly #idleDeadline: Deadline;
  /** Reads the socket while it is idle. */
  #idleReader: Subscription | undefined;
  /** Why it must be aborted instead of closed gracefully. */
  #abortReason: string | undefined;
  /** Ends the validation that is under way. */
  #endValidation: ((valid: boolean) => void) | undefined;

  constructor(socket: Socket, limits: PoolLimits, handlers: PooledConnectionHandlers) {
    this.#socket = socket;
    this.#limits = limits;
    this.#handlers = handlers;
    this.#idleDeadline = new Deadline(limits.scheduler, limits.idleTimeout, () => handlers.onUnusable());
  }

  /** After an upgrade by `setup` it is another one than that which was dialled. */
  get socket(): Socket {
    return this.#socket;
  }

  /** Dials, prepares the socket and watches it. That keeps it open for the pool while users subscribe and leave. */
  dial(): void {
    const closed = (error?: unknown) => {
      this.#handlers.onClosed(error);
      this.#endValidation?.(false);
      this.endIdle();
    };
    this.#opening = new NewConnection(this.#socket, this.#limits, {
      onEvent: () => {},
      onReady: (socket) => {
        this.#opening = undefined;
        this.#socket = socket;
        watch(socket, 'close').subscribe({ error: closed, complete: closed });
        this.#handlers.onOpen();
      },
      onEnd: (_report, error) => closed(error),
    });
    this.#opening.start();
  }

  /**
   * Whether our side is open, everything is written and nobody holds the socket. {@link beginIdle} finds out whether
   * the peer has ended its side.
   */
  get isReusable(): boolean {
    const { writableLength, holds } = this.socket;
    return controlOf(this.socket).writeSide.state === 'open' && writableLength === 0 && holds.length === 0;
  }

  /**
   * Begins to read the idle socket. Returns `false` if it cannot be used again: bytes were left unread, the peer has
   * ended its side, or it is not reusable.
   */
  beginIdle(): boolean {
    if (!this.isReusable) return false;
    let unusable = false;
    // Bytes that were left unread and an `end` that was missed come during this call.
    const reader = this.socket.subscribe({
      next: ({ type }) => {
        if (type === 'data') this.#abortReason = 'bytes came that nobody had asked for';
        if (type !== 'data' && type !== 'end') return;
        unusable = true;
        if (this.#idleReader) this.#handlers.onUnusable();
      },
      error: () => {}, // reported by the watcher
    });
    if (unusable) reader.unsubscribe();
    else {
      this.#idleReader = reader;
      this.#idleDeadline.start();
    }
    return !unusable;
  }

  endIdle(): void {
    this.#idleDeadline.stop();
    this.#idleReader?.unsubscribe();
    this.#idleReader = undefined;
  }

  /**
   * Calls the `validate` option.
   * @param done Called once, with `true` only if the result is `true` and comes within `validateTimeout`.
   */
  validate(done: (valid: boolean) => void): void {
    const { validate = () => true, validateTimeout, scheduler } = this.#limits;
    let validation: Subscription | undefined;
    const end = (valid: boolean) => {
      if (this.#endValidation !== end) return;
      this.#endValidation = undefined;
      deadline.stop();
      validation?.unsubscribe();
      done(valid);
    };
    const deadline = new Deadline(scheduler, validateTimeout, () => end(false));
    this.#endValidation = end;
    deadline.start();
    const result = defer(() => {
      const valid = validate(this.socket);
      return typeof valid === 'object' ? from(valid) : of(valid);
    });
    validation = result.pipe(take(1)).subscribe({
      next: (valid) => end(valid === true),
      error: (error) => {
        // `validate` is there to find failed sockets. Any other error is a mistake in `validate`.
        if (!(error instanceof SocketError)) process.emitWarning(error as Error);
        end(false);
      },
      complete: () => end(false),
    });
  }

  /** Closes it: gracefully, unless there is a reason to abort it. One that is not open yet is aborted. */
  close(abortReason = this.#abortReason): void {
    this.endIdle();
    if (this.#opening) return this.abort(new Error(abortReason ?? 'the pool needs it no more'));
    if (abortReason === undefined) void this.socket.close();
    else this.socket.error(new Error(abortReason));
  }

  abort(reason: Error): void {
    if (!this.#opening) return this.#socket.error(reason);
    const message = `The connection was given up before it was ready${reasonText(reason)}`;
    this.#opening.abort(new AbortedError(message, { phase: 'open', cause: reason }));
  }
}
