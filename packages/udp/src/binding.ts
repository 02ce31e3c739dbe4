// Runs one dgram.Socket, from opening to closing, for all subscribers of a datagram socket.
//
//   idle ──subscribe(), next(), send(), bind()──▶ opening ──▶ open
//   open ──complete(), last subscriber leaves──▶ closing ──▶ closed
//
// closing lasts until all pending datagrams are sent or lingerTimeout passes. error() and a failure to open lead from
// any state to closed.
import type * as dgram from 'node:dgram';
import { isIP } from 'node:net';
import type { InternetEndpoint, SocketError } from '@rxsock/core';
import {
  Deadline,
  datagramOpens,
  onAbortSignal,
  publishDatagramClose,
  publishDatagramError,
  publishDatagramOpen,
  States,
} from '@rxsock/core/internal';
import type { Subscriber, Subscription } from 'rxjs';
import { abortedError, closedError, openError, systemError } from './errors.js';
import type { Datagram, DatagramEvent } from './events.js';
import { createNode, openNode } from './open.js';
import { Receiver } from './receiver.js';
import { createResolver, lookUp, type ResolveName } from './resolve-name.js';
import { type SendCallback, SendQueue } from './send-queue.js';
import type { SocketSetup } from './setup.js';
import { SharedEvents } from './shared-events.js';
import { Traffic } from './traffic.js';

/** See {@link DatagramSocket.readyState}. */
export type DatagramSocketState = 'idle' | 'opening' | 'open' | 'closing' | 'closed';

export class Binding {
  readonly setup: SocketSetup;
  readonly states = new States<DatagramSocketState>('idle');
  readonly events = new SharedEvents();
  readonly traffic: Traffic;
  readonly sendQueue: SendQueue;
  readonly #receiver: Receiver;
  /** Whether the socket stays open when the last subscriber leaves. */
  keepOpen: boolean;
  /** Resolves the destination of a datagram. Replaced when the socket opens. */
  resolveName: ResolveName = async (name) => name;
  /** The DatagramSocket, which the diagnostics channels show. Set by its constructor. */
  socket: object = this;
  local: InternetEndpoint | undefined;
  remote: InternetEndpoint | undefined;
  #node: dgram.Socket | undefined;
  /** What `runWhenOpen()` was called with before the socket was open. */
  readonly #waitingActions: ((node: dgram.Socket) => void)[] = [];
  #ignoreSignal: (() => void) | undefined;
  /** The scheduled close after the last subscriber has left. */
  #scheduledClose: Subscription | undefined;
  #lingerDeadline: Deadline | undefined;

  constructor(setup: SocketSetup) {
    this.setup = setup;
    this.keepOpen = setup.limits.keepOpen === true;
    this.traffic = new Traffic(setup.limits.scheduler);
    const onEmpty = () => {
      if (this.state === 'closing') this.destroy();
    };
    this.sendQueue = new SendQueue({ setup, traffic: this.traffic, events: this.events, owner: this, onEmpty });
    this.#receiver = new Receiver({ setup, traffic: this.traffic, events: this.events, owner: this });
  }

  get state(): DatagramSocketState {
    return this.states.current;
  }

  subscribe(subscriber: Subscriber<DatagramEvent>): Subscription | (() => void) {
    const { scheduler, keepOpen } = this.setup.limits;
    if (this.state === 'closed') return this.events.replayEnd(subscriber, scheduler);
    this.#scheduledClose?.unsubscribe();
    if (this.local) subscriber.next({ type: 'listening', address: this.local });
    const subscription = this.events.subscribe(subscriber);
    this.open();
    return () => {
      subscription.unsubscribe();
      if (this.events.hasSubscribers || this.keepOpen || this.state === 'closed') return;
      this.#scheduledClose = scheduler.schedule(() => this.complete(), Number(keepOpen));
    };
  }

  /** Opens the socket, unless that was done before. */
  open(): void {
    const { signal } = this.setup.limits;
    if (this.state !== 'idle') return;
    this.states.set('opening');
    datagramOpens(this.socket);
    const onAbort = () => this.destroy(abortedError(signal?.reason));
    if (signal?.aborted) queueMicrotask(onAbort);
    else if (signal) this.#ignoreSignal = onAbortSignal(signal, onAbort);
    this.#open().catch((cause) => this.destroy(openError(cause, this.setup)));
    this.states.notify();
  }

  /** Sends a datagram. Opens the socket if it is idle. Returns `false` at or over `highWaterMark`. */
  send(datagram: Datagram, callback?: SendCallback): boolean {
    if (this.state === 'closing' || this.state === 'closed') {
      this.sendQueue.reportFailure(datagram, this.#closedError(), callback);
      return false;
    }
    const hasRoom = this.sendQueue.send(datagram, callback);
    this.open();
    return hasRoom;
  }

  /**
   * Runs an action on the Node socket: now if the socket is open, otherwise when it opens.
   * @param description What the action does, for the message if it fails now.
   */
  runWhenOpen(description: string, action: (node: dgram.Socket) => void): void {
    if (this.state === 'closed') throw this.#closedError();
    if (!this.local || !this.#node) {
      this.#waitingActions.push(action);
      return;
    }
    try {
      action(this.#node);
    } catch (error) {
      throw systemError(`Cannot ${description}`, error as Error, { phase: 'open', local: this.local });
    }
  }

  /**
   * Closes when all pending datagrams are sent, or when `timeout` milliseconds have passed. While the socket is already
   * closing, a call with a timeout replaces the limit, and a call without one changes nothing.
   */
  complete(timeout?: number): void {
    const { scheduler, lingerTimeout } = this.setup.limits;
    if (this.state === 'closed' || (this.state === 'closing' && timeout === undefined)) return;
    if (this.sendQueue.pendingBytes === 0 || timeout === 0) return this.destroy();
    this.states.set('closing');
    this.#lingerDeadline?.stop();
    this.#lingerDeadline = new Deadline(scheduler, timeout ?? lingerTimeout, () => this.destroy());
    this.#lingerDeadline.start();
    this.states.notify();
  }

  /** Closes at once. Pending datagrams fail. */
  destroy(failure?: SocketError): void {
    if (this.state === 'closed') return;
    this.states.set('closed');
    this.traffic.stopClock();
    this.local = undefined;
    this.#ignoreSignal?.();
    this.#lingerDeadline?.stop();
    this.#scheduledClose?.unsubscribe();
    this.sendQueue.failAll(failure ?? this.#closedError());
    if (failure) publishDatagramError(this.socket, failure);
    const emitEnd = () => {
      publishDatagramClose(this.socket, failure);
      this.events.end(this.traffic.report, failure);
    };
    if (this.#node) this.#node.close(emitEnd);
    else process.nextTick(emitEnd);
    this.states.notify();
  }

  async #open(): Promise<void> {
    const { host, connectFrom, options } = this.setup;
    const address = await lookUp(host, options.family ?? isIP(connectFrom?.address ?? ''), options.lookup);
    if (this.state === 'closed') return;
    this.resolveName = createResolver(options, host, address);
    const node = createNode(address, this.setup, this.resolveName);
    this.#node = node;
    node.on('message', (data, sender) => this.#receiver.receive(data, sender));
    node.on('error', (cause) => this.#onNodeError(cause));
    await openNode(node, address, this.setup);
    for (const action of this.#waitingActions) action(node);
    this.local = node.address() as InternetEndpoint;
    if (connectFrom) this.remote = node.remoteAddress() as InternetEndpoint;
    this.#receiver.peer = this.remote;
    this.traffic.startClock();
    if (this.state === 'opening') this.states.set('open');
    publishDatagramOpen(this.socket, this.local, this.remote);
    // A subscriber of the channel may have closed it.
    if (this.#isClosed) return;
    this.events.emit({ type: 'listening', address: this.local });
    this.sendQueue.start(node, this.remote);
    this.states.notify();
  }

  get #isClosed(): boolean {
    return this.state === 'closed';
  }

  /** The peer's system refused an earlier datagram. It does not say which one. */
  #onNodeError(cause: Error): void {
    const { local, remote } = this;
    if (!local) return; // While the socket opens, openNode() reports the error.
    const error = systemError('A datagram that was sent before has failed', cause, { phase: 'write', local, remote });
    publishDatagramError(this.socket, error);
    this.events.emit({ type: 'sendError', datagram: undefined, error });
  }

  #closedError(): SocketError {
    return closedError(this.state === 'closed');
  }
}
