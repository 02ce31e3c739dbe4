// A new connection, from dialling until its setup is done. Meanwhile nobody else uses the socket.
//
//   dialling ──open──▶ setting up ──done──▶ ready          any state ──failed, closed──▶ ended
//                         └──done, with another socket──▶ opening ──open──▶ ready
import { defer, from, of, type SchedulerLike, Subscription } from 'rxjs';
import { Deadline } from '../base/deadline.js';
import { SocketError, SocketTimeoutError } from '../base/errors.js';
import type { CloseReport, SocketEvent } from '../base/events.js';
import { prematureCloseError } from '../base/premature-close.js';
import { reasonText } from '../base/thrown.js';
import type { Successor } from '../engine/control.js';
import { controlOf, Socket } from '../socket.js';
import { watch } from '../transfer/watch.js';
import { readyEvent } from './ready-event.js';
import type { Setup } from './setup.js';

/** What a new connection reports. It reports nothing after `onReady` and after `onEnd`. */
export interface NewConnectionHandlers {
  /** An event of the dial. */
  onEvent(event: SocketEvent): void;
  /** `socket` may be another one than that which was dialled. */
  onReady(socket: Socket): void;
  onEnd(report: CloseReport | undefined, error: SocketError | undefined): void;
}

/** The options of `setup` that a new connection needs. */
export interface SetupLimits {
  readonly setup: Setup | undefined;
  /** In milliseconds. */
  readonly setupTimeout: number;
  readonly scheduler: SchedulerLike;
}

/** The events before a socket is open. No later subscriber receives them. */
const DIAL_EVENTS = ['lookup', 'connectionAttempt', 'connectionAttemptFailed'] as const;

export class NewConnection {
  #socket: Socket;
  readonly #limits: SetupLimits;
  readonly #handlers: NewConnectionHandlers;
  #watchers = new Subscription();
  readonly #deadline: Deadline;
  #setup: Subscription | undefined;
  /** The socket that the setup gives. */
  #successor: Socket | undefined;
  #report: CloseReport | undefined;
  /** Why the setup has failed. */
  #failure: SocketError | undefined;

  constructor(socket: Socket, limits: SetupLimits, handlers: NewConnectionHandlers) {
    this.#socket = socket;
    this.#limits = limits;
    this.#handlers = handlers;
    const { scheduler, setupTimeout } = limits;
    this.#deadline = new Deadline(scheduler, setupTimeout, () => this.#fail(lateError(socket, setupTimeout)));
  }

  /** Dials. */
  start(): void {
    for (const type of DIAL_EVENTS) this.#watch(type, (event) => this.#handlers.onEvent(event));
    // The socket is open when all its subscribers have received the event.
    this.#follow(() => queueMicrotask(() => this.#run()));
  }

  /** Nothing is reported any more. The socket stays as it is. */
  stop(): void {
    this.#deadline.stop();
    this.#setup?.unsubscribe();
    this.#watchers.unsubscribe();
  }

  /** Gives up: aborts the socket, with what the setup has made of it. The end is reported, if nothing was before. */
  abort(error: SocketError): void {
    if (!this.#watchers.closed) this.#fail(error);
  }

  /** Waits until the present socket is open, or has ended. */
  #follow(onOpen: () => void): void {
    const ended = (error?: SocketError) => {
      // Then it goes on as another socket, which the setup gives.
      if (this.#report?.how !== 'upgraded') this.#end(error);
    };
    this.#watch('close', ({ report }) => {
      this.#report = report;
    });
    const opening = watch(this.#socket, readyEvent(this.#socket));
    this.#watchers.add(opening.subscribe({ next: onOpen, error: ended, complete: () => ended() }));
  }

  #watch<K extends (typeof DIAL_EVENTS)[number] | 'close'>(
    type: K,
    next: (event: Extract<SocketEvent, { type: K }>) => void,
  ): void {
    this.#watchers.add(watch(this.#socket, type).subscribe({ next, error: () => {} }));
  }

  #run(): void {
    if (this.#watchers.closed) return;
    const { setup } = this.#limits;
    if (!setup) return this.#ready();
    this.#deadline.start();
    // Before the call, in which this may be stopped.
    this.#setup = new Subscription();
    const made = defer(() => {
      const result = setup(this.#socket);
      const isInput = typeof result === 'object' && result !== null && !(result instanceof Socket);
      return isInput ? from(result) : of(result);
    });
    this.#setup.add(
      made.subscribe({
        next: (value: unknown) => {
          if (value instanceof Socket) this.#successor = value;
        },
        error: (error) => this.#fail(setupError(this.#socket, error)),
        // Later, because the last reader of an Observable leaves only after its end.
        complete: () => queueMicrotask(() => this.#setUp()),
      }),
    );
  }

  #setUp(): void {
    if (this.#watchers.closed) return;
    if (this.#successor) this.#goOnWith(this.#successor);
    else this.#ready();
  }

  #goOnWith(successor: Socket): void {
    this.#watchers.unsubscribe();
    this.#watchers = new Subscription();
    this.#report = undefined;
    this.#socket = successor;
    this.#follow(() => this.#ready());
  }

  #ready(): void {
    const { failure } = controlOf(this.#socket);
    if (failure) return this.#fail(failure);
    const problem = this.#limits.setup && whatIsLeft(this.#socket);
    if (problem) return this.#fail(setupError(this.#socket, new Error(problem)));
    // Before the watchers leave: without any subscriber the socket would close.
    this.#handlers.onReady(this.#socket);
    this.stop();
  }

  #fail(error: SocketError): void {
    if (this.#watchers.closed) return;
    this.#failure = error;
    this.#deadline.stop();
    this.#setup?.unsubscribe();
    this.#successor?.error(error);
    abortAll(this.#socket, error);
    // Otherwise the watchers report the end.
    if (this.#report !== undefined) this.#end(error);
  }

  #end(error: SocketError | undefined): void {
    if (this.#watchers.closed) return;
    this.stop();
    this.#handlers.onEnd(this.#report, this.#failure ?? error ?? this.#endedEarly());
  }

  #endedEarly(): SocketError {
    if (!this.#limits.setup) return prematureCloseError('read');
    return setupError(this.#socket, new Error('the connection ended before it was done'));
  }
}

/** Aborts a socket, and those that have taken over its stream. */
export function abortAll(socket: Socket, reason: unknown): void {
  for (let next: Successor | undefined = socket; next instanceof Socket; next = controlOf(next).successor) {
    next.error(reason);
  }
}

/** What a setup has left behind that would disturb the next user. */
function whatIsLeft(socket: Socket): string | undefined {
  const { upgraded, writeSide, hasReader } = controlOf(socket);
  if (upgraded) return 'it has upgraded the connection: return the new socket';
  if (writeSide.state !== 'open') return 'it has ended our side';
  if (hasReader) return 'it has left a reader behind: release it';
  if (socket.holds.length > 0) return `it has left a hold behind: ${socket.holds.join(', ')}`;
  return undefined;
}

function setupError({ local, remote }: Socket, cause: unknown): SocketError {
  // The connection has failed, and the setup with it.
  if (cause instanceof SocketError) return cause;
  const message = `The setup of the connection failed${reasonText(cause)}`;
  return new SocketError(message, { code: 'ERR_SETUP_FAILED', phase: 'open', cause, local, remote });
}

function lateError({ local, remote }: Socket, milliseconds: number): SocketError {
  const message = `The setup of the connection was not done within ${milliseconds} ms (setupTimeout)`;
  return new SocketTimeoutError(message, { phase: 'open', timeout: 'setupTimeout', milliseconds, local, remote });
}
