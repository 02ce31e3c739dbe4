// The way to an open connection: which step it is at, what was tried in vain, and who is at its two ends.
//
//   resolving ──lookup──▶ connecting ──ready──▶ opened       and, where something is laid over the stream,
//                         connecting ──ready──▶ securing ──handshake──▶ opened
import type { Endpoint } from '../endpoint.js';
import { type ConnectAttempt, SocketError } from '../errors.js';
import type { Audience } from './audience.js';
import type { Deadlines } from './deadlines.js';
import type { ProgressEvent } from './dial-progress.js';
import { connectError, type Scene, streamError } from './failures.js';
import type { Link } from './link.js';
import type { Transport } from './transport.js';

export class Opening {
  step: 'resolving' | 'connecting' | 'securing';
  local: Endpoint | undefined;
  remote: Endpoint | undefined;
  /** In milliseconds since the epoch of the scheduler's clock. */
  openedAt: number | undefined;
  readonly #transport: Transport;
  readonly #audience: Audience;
  readonly #deadlines: Deadlines;
  readonly #attempts: ConnectAttempt[] = [];

  constructor(transport: Transport, audience: Audience, deadlines: Deadlines) {
    this.#transport = transport;
    this.#audience = audience;
    this.#deadlines = deadlines;
    this.step = transport.resolves ? 'resolving' : 'connecting';
  }

  progress(event: ProgressEvent): void {
    if (event.type !== 'lookup') this.step = 'connecting';
    if (event.type === 'connectionAttemptFailed') {
      const { address, port, code } = event;
      this.#attempts.push({ address, port, code });
    }
    this.#audience.tell(event);
  }

  /** The stream is open, and yet to be secured. */
  connected(link: Link): void {
    this.step = 'securing';
    this.#deadlines.connect.stop();
    this.#deadlines.handshake.start();
    this.#tell(link);
  }

  opened(link: Link, now: number): void {
    this.#deadlines.connect.stop();
    this.#deadlines.handshake.stop();
    this.openedAt = now;
    const { secured } = link;
    // Told before, where something is laid over it.
    if (this.step !== 'securing') this.#tell(link);
    if (secured) this.#audience.tell(secured);
  }

  #tell({ ends: { local, remote } }: Link): void {
    this.local = local;
    this.remote = remote;
    this.#audience.tell({ type: 'connect', local, remote });
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
