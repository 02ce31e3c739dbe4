// One attempt to be the first instance: to listen, or else to hand the arguments to the one that does.
import { defer, type Observable, type SchedulerLike, type Subscriber, Subscription } from 'rxjs';
import { Deadline } from '../base/deadline.js';
import { FrameError, SocketError, SocketTimeoutError, TruncatedFrameError } from '../base/errors.js';
import type { ServerEvent } from '../base/events.js';
import { serve } from '../operators/serve.js';
import { reader } from '../reader/reader.js';
import type { Socket } from '../socket.js';
import { AlreadyRunningError, ForeignListenerError } from './errors.js';
import { welcome } from './first-instance.js';
import type { InstanceEvent } from './instance-events.js';
import { asGreeting, isTaken, type Launch, LONGEST_MESSAGE, messages } from './instance-messages.js';

/** What a {@link Contender} goes by. */
export interface ContenderRules {
  readonly name: string;
  readonly args: readonly string[];
  readonly timeout: number;
  readonly scheduler: SchedulerLike;
  /** Where it listens, for messages. */
  readonly target: string;
  listen(): Observable<ServerEvent>;
  connect(): Socket;
}

/** How long to wait until the next try, when the first instance is just about to go, in milliseconds. */
const PAUSE = 20;

export class Contender {
  readonly #rules: ContenderRules;
  readonly #subscriber: Subscriber<InstanceEvent>;
  readonly #deadline: Deadline;
  #serving: Subscription | undefined;
  #pause: Subscription | undefined;
  #socket: Socket | undefined;
  /** The process that was found to be the first instance, though it did not take the arguments. */
  #met: number | undefined;
  /** What went wrong in the last try. */
  #trouble: unknown;

  constructor(rules: ContenderRules, subscriber: Subscriber<InstanceEvent>) {
    this.#rules = rules;
    this.#subscriber = subscriber;
    this.#deadline = new Deadline(rules.scheduler, rules.timeout, () => this.#late());
    subscriber.add(() => {
      this.#deadline.stop();
      this.#pause?.unsubscribe();
      this.#serving?.unsubscribe();
      this.#socket?.error(new Error('nobody waits for it any more'));
    });
  }

  /** Listens: the system lets one only. */
  start(): void {
    const subscriber = this.#subscriber;
    const release = () => subscriber.complete();
    const launched = (launch: Launch) => subscriber.next({ type: 'launch', ...launch });
    this.#serving = new Subscription();
    const server = defer(() => this.#rules.listen()).pipe(serve((socket) => welcome(socket, this.#rules, launched)));
    this.#serving.add(
      server.subscribe({
        next: (event) => {
          if (event.type !== 'listening') return;
          this.#deadline.stop();
          subscriber.next({ type: 'acquired', address: event.address, release });
        },
        error: (error) => {
          if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') this.#ask();
          else subscriber.error(error);
        },
        complete: release,
      }),
    );
  }

  // Asks who listens, and hands the arguments over.
  #ask(): void {
    this.#deadline.setRunning(true);
    let socket: Socket;
    try {
      socket = this.#rules.connect();
    } catch (error) {
      return this.#subscriber.error(error);
    }
    this.#socket = socket;
    this.#talk(socket);
  }

  async #talk(socket: Socket): Promise<void> {
    const { name, args, scheduler } = this.#rules;
    const lines = reader(socket, { maxLength: LONGEST_MESSAGE });
    const next = async () => {
      const message = await lines.readFrame(messages);
      if (message === undefined) throw new TruncatedFrameError('It has hung up', { buffered: 0 });
      return message;
    };
    let pid: number | undefined;
    try {
      const greeting = asGreeting(await next());
      if (greeting?.name !== name) throw new FrameError(`It says that it is ${greeting?.name ?? 'something else'}`);
      this.#met = pid = greeting.pid;
      const launch: Launch = { args, cwd: process.cwd(), pid: process.pid };
      socket.next(messages.encode(launch));
      if (!isTaken(await next())) throw new FrameError('It has not taken the arguments');
      this.#settle(pid);
    } catch (error) {
      if (this.#subscriber.closed) return;
      if (!isPassing(error)) return this.#settle(pid, error);
      this.#trouble = error;
      this.#pause = scheduler.schedule(() => this.start(), PAUSE);
    } finally {
      // The last reader has left: it closes.
      lines.release();
    }
  }

  #late(): void {
    const { timeout } = this.#rules;
    const message = `There was no answer within ${timeout} ms, the timeout`;
    const late = new SocketTimeoutError(message, { phase: 'open', timeout: 'timeout', milliseconds: timeout });
    this.#settle(this.#met, this.#trouble ?? late);
  }

  // Another one has the address: that much is certain.
  #settle(pid: number | undefined, cause?: unknown): void {
    const { name, target } = this.#rules;
    const remote = this.#socket?.remote;
    const why = cause instanceof Error ? `: ${cause.message}` : '';
    if (pid === undefined) {
      const message = `Something listens on ${target} that is not known to be ${JSON.stringify(name)}; if it is another program, choose another port or path${why}`;
      return this.#subscriber.error(new ForeignListenerError(message, { remote, cause }));
    }
    const delivered = cause === undefined;
    // Done: it closes by itself.
    if (delivered) this.#socket = undefined;
    const how = delivered
      ? 'it has taken the arguments of this one'
      : `it has not taken the arguments of this one${why}`;
    const message = `${JSON.stringify(name)} runs already, as process ${pid}; ${how}`;
    this.#subscriber.error(new AlreadyRunningError(message, { pid, delivered, remote, cause }));
  }
}

// It may be about to go, or gone: then this one may be the first.
function isPassing(error: unknown): boolean {
  return error instanceof TruncatedFrameError || (error instanceof SocketError && !(error instanceof FrameError));
}
