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
import type { Transport } from './transport.js';

export class Opening {
  step: 'resolving' | 'connecting' | 'securing';
  local: Endpoint | undefined;
  remote: Endpoint | undefined;
  /** What the proxy before the connection has said. */
  proxied: Proxied | undefined;
  /** In milliseconds since the epoch of the scheduler's clock. */
  openedAt: number | undefined;
  /** When it opened, on the clock of durations. */
  #openedElapsed = 0;
  /** When the peer ended its side, or the connection failed. What was received before may still wait. */
  #endedElapsed: number | undefined;
  readonly #transport: Transport;
  readonly #subscribers: Subscribers;
  #attempts: ConnectAttempt[] | undefined;

  constructor(transport: Transport, subscribers: Subscribers) {
    this.#transport = transport;
    this.#subscribers = subscribers;
    this.step = transport.resolves ? 'resolving' : 'connecting';
  }

  dialProgressed(event: DialEvent): void {
    if (event.type !== 'lookup') this.step = 'connecting';
    if (event.type === 'connectionAttemptFailed') {
      const { address, port, code } = event;
      this.#attempts ??= [];
      this.#attempts.push({ address, port, code });
    }
    this.#subscribers.emit(event);
  }

  /** The stream is open and its handshake begins. */
  connected(stream: NodeStream): void {
    this.step = 'securing';
    this.#setEndpoints(stream);
    this.#subscribers.connected(this);
  }

  opened(stream: NodeStream, scheduler: SchedulerLike): void {
    this.openedAt = scheduler.now();
    this.#openedElapsed = elapsedTime(scheduler);
    // With a handshake, they are known from before it.
    if (this.step !== 'securing') this.#setEndpoints(stream);
  }

  /** Emits what `opened` has recorded. */
  emitOpened(stream: NodeStream): void {
    // A tunnel through a proxy behind TLS is not secure itself.
    const secured = this.#transport.type === 'tcp' ? undefined : stream.secured;
    // With a handshake, `connect` was emitted before it.
    if (this.step !== 'securing') this.#subscribers.connected(this);
    if (secured) this.#subscribers.emit(secured);
  }

  /** Returns how long the connection has been open, in milliseconds; 0 if it never was. */
  duration(scheduler: SchedulerLike): number {
    return this.openedAt === undefined ? 0 : elapsedTime(scheduler) - this.#openedElapsed;
  }

  /** The peer has ended its side, or the connection has failed. */
  ended(scheduler: SchedulerLike): void {
    this.#endedElapsed ??= elapsedTime(scheduler);
  }

  /** Returns how long ago that was, in milliseconds; 0 if it has not happened. */
  endedFor(scheduler: SchedulerLike): number {
    return this.#endedElapsed === undefined ? 0 : elapsedTime(scheduler) - this.#endedElapsed;
  }

  #setEndpoints({ endpoints: { local, remote }, duplex }: NodeStream): void {
    this.proxied = proxiedOf(duplex);
    this.local = local;
    this.remote = remote;
  }

  /** Returns the error of the socket for what the stream or the dial has failed with. */
  explain(thrown: unknown): SocketError {
    if (thrown instanceof SocketError) return thrown;
    const cause = asError(thrown);
    const { target, local, remote, opened } = this.scene;
    const context = { target, local, remote, phase: opened ? 'read' : 'open' } as const;
    const explained = this.#transport.explain?.(cause, context);
    if (explained) return explained;
    return opened ? streamError(cause, this.scene) : connectError(cause, this.#attempts ?? [], this.scene);
  }

  get scene(): Scene {
    const { local, remote, openedAt } = this;
    return { target: this.#transport.target, opened: openedAt !== undefined, local, remote };
  }
}
