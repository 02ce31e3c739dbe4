// What is behind a datagram socket: one dgram.Socket, from its opening to its end, and those who are told.
//
//   idle ──subscribe, send(), bind()──▶ opening ──▶ open ──complete(), the last one leaves──▶ closing ──sent──▶ closed
import type dgram from 'node:dgram';
import { addAbortListener } from 'node:events';
import { isIP, isIPv6 } from 'node:net';
import type { InternetEndpoint, SocketError } from '@rxsock/core';
import { Deadline, States } from '@rxsock/core/internal';
import { concat, firstValueFrom, ReplaySubject, Subject, type Subscriber, type Subscription, subscribeOn } from 'rxjs';
import { abortedError, closedError, openError, systemError } from './errors.js';
import type { Datagram, DatagramCloseEvent, DatagramEvent, DatagramReport } from './events.js';
import { canonical, type Resolve, resolve, resolver } from './names.js';
import { create, open } from './open.js';
import type { Setup } from './options.js';
import { SendQueue, type Settle } from './send-queue.js';

/** See {@link DatagramSocket.readyState}. */
export type DatagramSocketState = 'idle' | 'opening' | 'open' | 'closing' | 'closed';

export class Binding {
  readonly setup: Setup;
  readonly sendQueue = new SendQueue(this);
  readonly counts = {
    messagesRead: 0,
    bytesRead: 0,
    messagesWritten: 0,
    bytesWritten: 0,
    messagesUnsent: 0,
    messagesDropped: 0,
    messagesBlocked: 0,
  };
  readonly states = new States<DatagramSocketState>('idle');
  /** Stays open when the last subscriber leaves. */
  keep: boolean;
  /** Finds the address of a destination, once it is open. */
  resolve: Resolve = async (name) => name;
  /** All events but the last one, which is told to those who come later, too. */
  readonly events = new Subject<DatagramEvent>();
  local: InternetEndpoint | undefined;
  remote: InternetEndpoint | undefined;
  readonly #end = new ReplaySubject<DatagramCloseEvent>(1);
  #node: dgram.Socket | undefined;
  /** Joins and leaves of groups from before it was open. */
  readonly #early: ((node: dgram.Socket) => void)[] = [];
  #openedAt: number | undefined;
  #closedAt: number | undefined;
  #signal: Disposable | undefined;
  #leaving: Subscription | undefined;
  #linger: Deadline | undefined;

  constructor(setup: Setup) {
    this.setup = setup;
    this.keep = setup.limits.keepOpen === true;
  }

  get state(): DatagramSocketState {
    return this.states.current;
  }

  get report(): DatagramReport {
    const until = this.#closedAt ?? this.setup.limits.scheduler.now();
    return { ...this.counts, duration: until - (this.#openedAt ?? until) };
  }

  /** What has passed, when it is closed. */
  get closed(): Promise<DatagramReport> {
    return firstValueFrom(this.#end).then(({ report }) => report);
  }

  subscribe(subscriber: Subscriber<DatagramEvent>): Subscription | (() => void) {
    const { scheduler, keepOpen } = this.setup.limits;
    // On the next turn, so that a retry of a closed socket does not spin.
    if (this.state === 'closed') return this.#end.pipe(subscribeOn(scheduler)).subscribe(subscriber);
    this.#leaving?.unsubscribe();
    if (this.local) subscriber.next({ type: 'listening', address: this.local });
    const subscription = concat(this.events, this.#end).subscribe(subscriber);
    this.open();
    return () => {
      subscription.unsubscribe();
      if (this.events.observed || this.keep || this.state === 'closed') return;
      this.#leaving = scheduler.schedule(() => this.complete(), Number(keepOpen));
    };
  }

  open(): void {
    const { signal } = this.setup.limits;
    if (this.state !== 'idle') return;
    this.states.set('opening');
    if (signal) this.#signal = addAbortListener(signal, () => this.destroy(abortedError(signal.reason)));
    this.#open().catch((cause) => this.destroy(openError(cause, this.setup)));
    this.states.notify();
  }

  /** Sends; answers whether there is room for more. */
  send(datagram: Datagram, settle?: Settle): boolean {
    if (this.state !== 'closing' && this.state !== 'closed') return this.sendQueue.send(datagram, settle);
    this.sendQueue.fail(datagram, this.#gone(), settle);
    return false;
  }

  /** Does something to the Node socket: now, or when it opens. */
  apply(what: string, act: (node: dgram.Socket) => void): void {
    if (this.state === 'closed') throw this.#gone();
    if (!this.local || !this.#node) {
      this.#early.push(act);
      return;
    }
    try {
      act(this.#node);
    } catch (error) {
      throw systemError(`Cannot ${what}`, error as Error, { phase: 'open', local: this.local });
    }
  }

  /** Closes when all is sent, and when this many milliseconds have passed; without them, changes nothing if it is closing. */
  complete(timeout?: number): void {
    const { scheduler, lingerTimeout } = this.setup.limits;
    if (this.state === 'closed' || (this.state === 'closing' && timeout === undefined)) return;
    if (this.sendQueue.pending === 0 || timeout === 0) return this.destroy();
    this.open();
    // Who was told that it opens may have closed it.
    if (this.#closedAt !== undefined) return;
    this.states.set('closing');
    this.#linger?.stop();
    this.#linger = new Deadline(scheduler, timeout ?? lingerTimeout, () => this.destroy());
    this.#linger.start();
    this.states.notify();
  }

  /** Nothing waits any more. */
  flushed(): void {
    if (this.state === 'closing') this.destroy();
  }

  /** Closes at once. */
  destroy(failure?: SocketError): void {
    if (this.state === 'closed') return;
    this.states.set('closed');
    this.#closedAt = this.setup.limits.scheduler.now();
    this.local = undefined;
    this.#signal?.[Symbol.dispose]();
    this.#linger?.stop();
    this.#leaving?.unsubscribe();
    this.sendQueue.break(failure ?? this.#gone());
    const conclude = () => {
      this.#end.next({ type: 'close', report: this.report });
      if (failure) this.#end.error(failure);
      else this.#end.complete();
      this.events.complete();
    };
    if (this.#node) this.#node.close(conclude);
    else process.nextTick(conclude);
    this.states.notify();
  }

  async #open(): Promise<void> {
    const { host, near, options, limits } = this.setup;
    const address = await resolve(options.lookup, host, options.family ?? isIP(near?.address ?? ''));
    if (this.state === 'closed') return;
    this.resolve = resolver(options, host, address);
    const node = create(address, this.setup, this.resolve);
    this.#node = node;
    node.on('message', (data, from) => this.#received(data, from));
    node.on('error', (cause) => this.#refused(cause)); // while it opens, open() hears it
    await open(node, address, this.setup);
    for (const act of this.#early) act(node);
    this.local = node.address() as InternetEndpoint;
    if (near) this.remote = node.remoteAddress() as InternetEndpoint;
    this.#openedAt = limits.scheduler.now();
    if (this.state === 'opening') this.states.set('open');
    this.events.next({ type: 'listening', address: this.local });
    this.sendQueue.open(node, this.remote);
    this.states.notify();
  }

  #received(data: Buffer, { address, port, family }: dgram.RemoteInfo): void {
    const { counts } = this;
    const { near, options } = this.setup;
    // What comes between binding and connecting may be from anybody.
    const stranger = near && (address !== this.remote?.address || port !== this.remote.port);
    if (stranger || options.blockList?.check(canonical(address), isIPv6(address) ? 'ipv6' : 'ipv4')) {
      counts.messagesBlocked++;
      return;
    }
    counts.messagesRead++;
    counts.bytesRead += data.length;
    if (this.events.observed) this.events.next({ type: 'message', data, remote: { address, port, family } });
    else counts.messagesDropped++;
  }

  /** The peer's system has refused a datagram that was already out; which, it does not say. */
  #refused(cause: Error): void {
    const { local, remote } = this;
    if (!local) return;
    const error = systemError('A datagram that was sent before has failed', cause, { phase: 'write', local, remote });
    this.events.next({ type: 'sendError', datagram: undefined, error });
  }

  #gone(): SocketError {
    return closedError(this.state === 'closed');
  }
}
