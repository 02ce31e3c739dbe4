// The time limits of one connection.
import { Deadline } from '../base/deadline.js';
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
   * @param queued How many bytes are on their way out. While this number changes, limits that wait for progress
   * restart.
   */
  constructor(
    limits: SocketLimits,
    { connectTimeout = 0, handshakeTimeout = 0 },
    onTimeout: OnTimeout,
    queued: () => number,
  ) {
    this.#limits = limits;
    this.#onTimeout = onTimeout;
    const { halfOpenTimeout, finTimeout, lingerTimeout, idleTimeout, holdTimeout } = limits;
    this.connect = this.#deadline('connectTimeout', connectTimeout, 'It did not open');
    this.handshake = this.#deadline('handshakeTimeout', handshakeTimeout, 'The TLS handshake did not complete');
    this.halfOpen = this.#deadline('halfOpenTimeout', halfOpenTimeout, 'The peer ended and our side did not', queued);
    this.fin = this.#deadline('finTimeout', finTimeout, 'Our side ended, the peer did not, and nobody read', queued);
    this.linger = this.#deadline('lingerTimeout', lingerTimeout, 'The peer accepted and sent nothing', queued);
    this.idle = this.#deadline('idleTimeout', idleTimeout, 'Nothing was read or written', queued);
    this.hold = this.#deadline('holdTimeout', holdTimeout, 'It was held');
  }

  /** Starts the limit of one `close()`. */
  closeWithin(milliseconds: number): void {
    this.close?.stop();
    this.close = this.#deadline('close({ timeout })', milliseconds, 'The peer did not take the rest and end its side');
    this.close.start();
  }

  stop(): void {
    const { connect, handshake, halfOpen, fin, linger, idle, hold, close } = this;
    for (const deadline of [connect, handshake, halfOpen, fin, linger, idle, hold, close]) deadline?.stop();
  }

  #deadline(timeout: string, milliseconds: number, what: string, gauge?: () => number): Deadline {
    const onExpired = () => this.#onTimeout(timeout, milliseconds, what);
    return new Deadline(this.#limits.scheduler, milliseconds, onExpired, gauge);
  }
}
