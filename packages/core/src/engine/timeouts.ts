// All time limits of one connection.
import { Deadline } from '../base/deadline.js';
import type { SocketLimits } from './limits.js';

/** Told when a limit has passed: which, how long it was in milliseconds, and what did not happen. */
export type Expired = (timeout: string, milliseconds: number, what: string) => void;

export class Timeouts {
  /** From dialling until the connection is open. */
  readonly connect: Deadline;
  /** From the open stream until it is secure. */
  readonly handshake: Deadline;
  /** From the peer's FIN until ours, anew at each write progress, not while held. */
  readonly halfOpen: Deadline;
  /** From our FIN until the peer's, while nobody reads. */
  readonly fin: Deadline;
  /** While leaving, anew at each progress. */
  readonly linger: Deadline;
  /** Anew at each read or write, not while held. */
  readonly idle: Deadline;
  /** While held. */
  readonly hold: Deadline;
  /** From `close()`. */
  close: Deadline | undefined;
  readonly #limits: SocketLimits;
  readonly #expired: Expired;

  /** @param queued Bytes on their way out. While they move, what waits for progress waits on. */
  constructor(
    limits: SocketLimits,
    { connectTimeout = 0, handshakeTimeout = 0 },
    expired: Expired,
    queued: () => number,
  ) {
    this.#limits = limits;
    this.#expired = expired;
    this.connect = this.#deadline('connectTimeout', connectTimeout, 'It did not open');
    this.handshake = this.#deadline('handshakeTimeout', handshakeTimeout, 'The TLS handshake was not over');
    this.halfOpen = this.#deadline(
      'halfOpenTimeout',
      limits.halfOpenTimeout,
      'The peer had ended, our side had not,',
      queued,
    );
    this.fin = this.#deadline('finTimeout', limits.finTimeout, 'Our side had ended, the peer had not, nobody read');
    this.linger = this.#deadline('lingerTimeout', limits.lingerTimeout, 'The peer took and sent nothing', queued);
    this.idle = this.#deadline('idleTimeout', limits.idleTimeout, 'Nothing was read or written', queued);
    this.hold = this.#deadline('holdTimeout', limits.holdTimeout, 'It was held');
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
    const expired = () => this.#expired(timeout, milliseconds, what);
    return new Deadline(this.#limits.scheduler, milliseconds, expired, gauge);
  }
}
