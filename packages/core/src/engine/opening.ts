// Tracks a connection while it opens: the current step, failed attempts, and both endpoints.
//
//   resolving ──lookup──▶ connecting ──ready──▶ opened          with a handshake over the stream (TLS):
//                         connecting ──ready──▶ securing ──handshake──▶ opened
import type { SchedulerLike } from 'rxjs';
import { elapsedTime } from '../base/clock.js';
import type { Endpoint } from '../base/endpoint.js';
import { type ConnectAttempt, SocketError } from '../base/errors.js';
import { asError } from '../base/thrown.js';
import type { Proxied } from '../proxy-protocol/proxied.js';
import { connectError, type Scene, streamError } from './connection-errors.js';
import type { DialEvent } from './dial-events.js';
import type { NodeStream } from './node-stream.js';
import { proxiedOf } from './proxied-streams.js';
import type { Subscribers } from './subscribers.js';
import type { Timeouts } from './timeouts.js';
import type { Transport } from './transport.js';

export class Opening {
  step: 'resolving' | 'connecting' | 'securing';
  local: Endpoint | undefined;
  remote: Endpoint | undefined;
  /** What the proxy before the connection has said. */
  proxied: Proxied | undefined;
  /** In milliseconds since the epoch of the scheduler's clock. */
  openedAt: number | undefined;
  /** Returns how long the connection has been open, in milliseconds. */
  #stopwatch: (() => number) | undefined;
  readonly #transport: Transport;
  readonly #subscribers: Subscribers;
  readonly #timeouts: Timeouts;
  readonly #attempts: ConnectAttempt[] = [];

  constructor(transport: Transport, subscribers: Subscribers, timeouts: Timeouts) {
    this.#transport = transport;
    this.#subscribers = subscribers;
    this.#timeouts = timeouts;
    this.step = transport.resolves ? 'resolving' : 'connecting';
  }

  dialProgressed(event: DialEvent): void {
    if (event.type !== 'lookup') this.step = 'connecting';
    if (event.type === 'connectionAttemptFailed') {
      const { address, port, code } = event;
      this.#attempts.push({ address, port, code });
    }
    this.#subscribers.emit(event);
  }

  /** The stream is open and its handshake begins. */
  connected(stream: NodeStream): void {
    this.step = 'securing';
    this.#timeouts.connect.stop();
    this.#timeouts.handshake.start();
    this.#setEndpoints(stream);
    this.#emitConnect();
  }

  opened(stream: NodeStream, scheduler: SchedulerLike): void {
    this.#timeouts.connect.stop();
    this.#timeouts.handshake.stop();
    this.openedAt = scheduler.now();
    const openedAt = elapsedTime(scheduler);
    this.#stopwatch = () => elapsedTime(scheduler) - openedAt;
    // With a handshake, they are known from before it.
    if (this.step !== 'securing') this.#setEndpoints(stream);
  }

  /** Emits what `opened` has recorded. */
  emitOpened(stream: NodeStream): void {
    // A tunnel through a proxy behind TLS is not secure itself.
    const secured = this.#transport.type === 'tcp' ? undefined : stream.secured;
    // With a handshake, `connect` was emitted before it.
    if (this.step !== 'securing') this.#emitConnect();
    if (secured) this.#subscribers.emit(secured);
  }

  /** How long the connection has been open, in milliseconds; 0 if it never was. */
  get duration(): number {
    return this.#stopwatch?.() ?? 0;
  }

  #setEndpoints({ endpoints: { local, remote }, duplex }: NodeStream): void {
    this.proxied = proxiedOf(duplex);
    this.local = local;
    this.remote = remote;
  }

  #emitConnect(): void {
    const { local, remote } = this;
    this.#subscribers.emit({ type: 'connect', local, remote });
  }

  /** Returns the error of the socket for what the stream or the dial has failed with. */
  explain(thrown: unknown): SocketError {
    if (thrown instanceof SocketError) return thrown;
    const cause = asError(thrown);
    const { target, local, remote, opened } = this.scene;
    const context = { target, local, remote, phase: opened ? 'read' : 'open' } as const;
    const explained = this.#transport.explain?.(cause, context);
    if (explained) return explained;
    return opened ? streamError(cause, this.scene) : connectError(cause, this.#attempts, this.scene);
  }

  get scene(): Scene {
    const { local, remote, openedAt } = this;
    return { target: this.#transport.target, opened: openedAt !== undefined, local, remote };
  }
}
