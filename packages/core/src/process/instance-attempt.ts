// One subscription of singleInstance(): it listens, or else delivers its arguments to the instance that listens.
import { defer, type Observable, type SchedulerLike, type Subscriber, Subscription } from 'rxjs';
import { Deadline } from '../base/deadline.js';
import { FrameError, SocketError, SocketTimeoutError, TruncatedFrameError } from '../base/errors.js';
import { serve } from '../operators/serve.js';
import { reader } from '../reader/reader.js';
import type { ServerEvent } from '../server/events.js';
import type { Socket } from '../socket.js';
import { AlreadyRunningError, ForeignListenerError } from './errors.js';
import { serveLaterInstance } from './first-instance.js';
import type { InstanceEvent } from './instance-events.js';
import { type LaunchMessage, MAX_MESSAGE_LENGTH } from './instance-messages.js';
import { deliverArguments } from './later-instance.js';

/** The options of `singleInstance()` with defaults filled in, and its transport. */
export interface InstanceConfig {
  readonly name: string;
  readonly args: readonly string[];
  /** In milliseconds. 0 and Infinity mean no limit. */
  readonly timeout: number;
  readonly scheduler: SchedulerLike;
  /** The address of the first instance, for messages. */
  readonly target: string;
  listen(): Observable<ServerEvent>;
  connect(): Socket;
}

/** The delay before the next try when the first instance may be about to close, in milliseconds. */
const RETRY_DELAY = 20;

export class InstanceAttempt {
  readonly #config: InstanceConfig;
  readonly #subscriber: Subscriber<InstanceEvent>;
  readonly #deadline: Deadline;
  #serving: Subscription | undefined;
  #retry: Subscription | undefined;
  #socket: Socket | undefined;
  /** The process that identified itself as the first instance, but has not confirmed the arguments. */
  #unconfirmedPid: number | undefined;
  /** Why the last try failed. */
  #lastError: unknown;

  constructor(config: InstanceConfig, subscriber: Subscriber<InstanceEvent>) {
    this.#config = config;
    this.#subscriber = subscriber;
    this.#deadline = new Deadline(config.scheduler, config.timeout, () => this.#onTimeout());
    subscriber.add(() => {
      this.#deadline.stop();
      this.#retry?.unsubscribe();
      this.#serving?.unsubscribe();
      this.#socket?.error(new Error('the subscriber of singleInstance() has left'));
    });
  }

  /** Tries to listen. The system lets only one process listen on an address, so that process is the first instance. */
  start(): void {
    const subscriber = this.#subscriber;
    if (subscriber.closed) return;
    const release = () => subscriber.complete();
    const onLaunch = (launch: LaunchMessage) => subscriber.next({ type: 'launch', ...launch });
    // Set before subscribe(): a subscriber may leave at `acquired`, and that must stop the server.
    this.#serving = new Subscription();
    const server = defer(() => this.#config.listen()).pipe(
      serve((socket) => serveLaterInstance(socket, this.#config, onLaunch)),
    );
    this.#serving.add(
      server.subscribe({
        next: (event) => {
          if (event.type !== 'listening') return;
          this.#deadline.stop();
          subscriber.next({ type: 'acquired', address: event.address, release });
        },
        error: (error) => {
          if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') this.#contactFirstInstance();
          else subscriber.error(error);
        },
        complete: release,
      }),
    );
  }

  #contactFirstInstance(): void {
    this.#deadline.run();
    let socket: Socket;
    try {
      socket = this.#config.connect();
    } catch (error) {
      return this.#subscriber.error(error);
    }
    this.#socket = socket;
    this.#deliverArguments(socket);
  }

  async #deliverArguments(socket: Socket): Promise<void> {
    const messages = reader(socket, { maxLength: MAX_MESSAGE_LENGTH });
    let pid: number | undefined;
    const onIdentified = (identified: number) => {
      this.#unconfirmedPid = pid = identified;
    };
    try {
      await deliverArguments(socket, messages, this.#config, onIdentified);
      this.#fail(pid);
    } catch (error) {
      if (this.#subscriber.closed) return;
      if (!isRetryable(error)) return this.#fail(pid, error);
      this.#lastError = error;
      this.#retry = this.#config.scheduler.schedule(() => this.start(), RETRY_DELAY);
    } finally {
      // The reader was the last subscriber: the socket closes.
      messages.release();
    }
  }

  #onTimeout(): void {
    const { timeout } = this.#config;
    const message = `The listener did not answer within timeout (${timeout} ms)`;
    const error = new SocketTimeoutError(message, { phase: 'open', timeout: 'timeout', milliseconds: timeout });
    this.#fail(this.#unconfirmedPid, this.#lastError ?? error);
  }

  /**
   * Ends the subscription: another process listens on the address.
   * @param pid The process of the first instance, if it identified itself.
   * @param cause Why the arguments could not be delivered; `undefined` if they were.
   */
  #fail(pid: number | undefined, cause?: unknown): void {
    const { name, target } = this.#config;
    const remote = this.#socket?.remote;
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    const program = JSON.stringify(name);
    if (pid === undefined) {
      const remedy = 'if it is another program, choose another port or path';
      const message = `Something listens on ${target} but did not identify itself as ${program}${reason}; ${remedy}`;
      return this.#subscriber.error(new ForeignListenerError(message, { remote, cause }));
    }
    const delivered = cause === undefined;
    // The socket closes gracefully, so that the first instance gets a FIN and not a reset.
    if (delivered) this.#socket = undefined;
    const outcome = delivered ? 'and has received the arguments' : `but has not received the arguments${reason}`;
    const message = `${program} is already running as process ${pid} ${outcome}`;
    this.#subscriber.error(new AlreadyRunningError(message, { pid, delivered, remote, cause }));
  }
}

/**
 * Returns `true` if the connection failed or was closed. The first instance may be closing: then this process may
 * become the first. Returns `false` for a message that is not part of the protocol.
 */
function isRetryable(error: unknown): boolean {
  return error instanceof TruncatedFrameError || (error instanceof SocketError && !(error instanceof FrameError));
}
