// The time limits of one connection.
import { Deadline, type ProgressMeter } from '../base/deadline.js';
import type { SocketLimits } from './limits.js';

/** Called when a limit has passed: its option, its length in milliseconds, and what did not happen. */
export type OnTimeout = (timeout: string, milliseconds: number, what: string) => void;

export class Timeouts {
  /** From dialling until the Node stream is open. */
  readonly connect: Deadline;
  /** From the open Node stream until the end of its handshake. */
  readonly handshake: Deadline;
  /** From the peer's FIN until ours. Restarts at write progress, stops while held. */
  readonly halfOpen: Deadline;
  /** From `complete()` until the peer's FIN, while nobody reads. Restarts at write progress. */
  readonly fin: Deadline;
  /** While leaving. Restarts at any progress. */
  readonly linger: Deadline;
  /** Restarts at every read and write, stops while held. */
  readonly idle: Deadline;
  /** While held. */
  readonly hold: Deadline;
  /** From `close()`. */
  close: Deadline | undefined;
  readonly #limits: SocketLimits;
  readonly #onTimeout: OnTimeout;

  /**
   * @param progress What the peer has taken. While it grows, limits that wait for progress restart.
   */
  constructor(
    limits: SocketLimits,
    { connectTimeout = 0, handshakeTimeout = 0 },
    onTimeout: OnTimeout,
    progress: ProgressMeter,
  ) {
    this.#limits = limits;
    this.#onTimeout = onTimeout;
    const { halfOpenTimeout, finTimeout, lingerTimeout, idleTimeout, holdTimeout } = limits;
    this.connect = this.#deadline('connectTimeout', connectTimeout, 'did not open within');
    this.handshake = this.#deadline('handshakeTimeout', handshakeTimeout, 'did not complete its TLS handshake within');
    this.halfOpen = this.#deadline(
      'halfOpenTimeout',
      halfOpenTimeout,
      'did not end on our side after the end of the peer for',
      progress,
    );
    this.fin = this.#deadline(
      'finTimeout',
      finTimeout,
      'did not end on the side of the peer, and nobody read it, for',
      progress,
    );
    this.linger = this.#deadline('lingerTimeout', lingerTimeout, 'made no progress while it closed for', progress);
    this.idle = this.#deadline('idleTimeout', idleTimeout, 'was idle for', progress);
    this.hold = this.#deadline('holdTimeout', holdTimeout, 'was held for');
  }

  /** Starts the limit of one `close()`. */
  closeWithin(milliseconds: number): void {
    this.close?.stop();
    this.close = this.#deadline('close({ timeout })', milliseconds, 'did not close within');
    this.close.start();
  }

  stop(): void {
    const { connect, handshake, halfOpen, fin, linger, idle, hold, close } = this;
    for (const deadline of [connect, handshake, halfOpen, fin, linger, idle, hold, close]) deadline?.stop();
  }

  #deadline(timeout: string, milliseconds: number, what: string, progress?: ProgressMeter): Deadline {
    const onExpired = () => this.#onTimeout(timeout, milliseconds, what);
    return new Deadline(this.#limits.scheduler, milliseconds, onExpired, progress);
  }
}
