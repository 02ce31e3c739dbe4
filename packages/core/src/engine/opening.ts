// The way to an open connection: which step it is at, what was tried in vain, and who is at its two ends.
//
//   resolving ──lookup──▶ connecting ──ready──▶ opened       and, where something is laid over the stream,
//                         connecting ──ready──▶ securing ──handshake──▶ opened
import type { Endpoint } from '../base/endpoint.js';
import { type ConnectAttempt, SocketError } from '../base/errors.js';
import { connectError, type Scene, streamError } from './connection-errors.js';
import type { ProgressEvent } from './dial-progress.js';
import type { NodeStream } from './node-stream.js';
import type { Subscribers } from './subscribers.js';
import type { Timeouts } from './timeouts.js';
import type { Transport } from './transport.js';

export class Opening {
  step: 'resolving' | 'connecting' | 'securing';
  local: Endpoint | undefined;
  remote: Endpoint | undefined;
  /** In milliseconds since the epoch of the scheduler's clock. */
  openedAt: number | undefined;
  readonly #transport: Transport;
  readonly #subscribers: Subscribers;
  readonly #timeouts: Timeouts;
  readonly #attempts: ConnectAttempt[] = [];

  constructor(transport: Transport, audience: Subscribers, deadlines: Timeouts) {
    this.#transport = transport;
    this.#subscribers = audience;
    this.#timeouts = deadlines;
    this.step = transport.resolves ? 'resolving' : 'connecting';
  }

  progress(event: ProgressEvent): void {
    if (event.type !== 'lookup') this.step = 'connecting';
    if (event.type === 'connectionAttemptFailed') {
      const { address, port, code } = event;
      this.#attempts.push({ address, port, code });
    }
    this.#subscribers.emit(event);
  }

  /** The stream is open, and yet to be secured. */
  connected(link: NodeStream): void {
    this.step = 'securing';
    this.#timeouts.connect.stop();
    this.#timeouts.handshake.start();
    this.#tell(link);
  }

  opened(link: NodeStream, now: number): void {
    this.#timeouts.connect.stop();
    this.#timeouts.handshake.stop();
    this.openedAt = now;
    const { secured } = link;
    // Told before, where something is laid over it.
    if (this.step !== 'securing') this.#tell(link);
    if (secured) this.#subscribers.emit(secured);
  }

  #tell({ endpoints: { local, remote } }: NodeStream): void {
    this.local = local;
    this.remote = remote;
    this.#subscribers.emit({ type: 'connect', local, remote });
  }

  /** What an error of the stream is, at this step or behind it. */
  explain(cause: NodeJS.ErrnoException): SocketError {
    if (cause instanceof SocketError) return cause;
    const { target, local, remote, opened } = this.scene;
    const theirs = this.#transport.explain?.(cause, { target, local, remote, phase: opened ? 'read' : 'open' });
    if (theirs) return theirs;
    return opened ? streamError(cause, this.scene) : connectError(cause, this.#attempts, this.scene);
  }

  get scene(): Scene {
    const { local, remote, openedAt } = this;
    return { target: this.#transport.target, opened: openedAt !== undefined, local, remote };
  }
}
