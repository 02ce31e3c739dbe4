// The time limits of one connection. Each is made when it starts for the first time: most connections need few of them.
import { Deadline, type ProgressMeter } from '../base/deadline.js';
import type { SocketLimits } from './limits.js';

/**
 * - `connect`: from dialling until the Node stream is open.
 * - `handshake`: from the open Node stream until the end of its handshake.
 * - `halfOpen`: from the peer's FIN until ours. Restarts at write progress, stops while held.
 * - `fin`: from `complete()` until the peer's FIN, while nobody reads. Restarts at write progress.
 * - `linger`: while leaving. Restarts at any progress.
 * - `idle`: restarts at every read and write, stops while held.
 * - `hold`: while held.
 */
export type Limit = 'connect' | 'handshake' | 'halfOpen' | 'fin' | 'linger' | 'idle' | 'hold';

/** The lengths of the limits, in milliseconds, by the names of their options. */
export type LimitLengths = SocketLimits & {
  readonly connectTimeout: number;
  readonly handshakeTimeout?: number | undefined;
};

/** What a time limit needs of its connection. */
export interface TimeoutsOwner {
  /** What the peer has taken. While it grows, limits that wait for progress restart. */
  readonly progress: ProgressMeter;
  /** A limit has passed. @param what What did not happen. */
  timedOut(timeout: string, milliseconds: number, what: string): void;
}

/** What did not happen within the limit, and whether progress of the writes restarts it. */
const LIMITS: { readonly [limit in Limit]: readonly [what: string, byProgress: boolean] } = {
  connect: ['did not open within', false],
  handshake: ['did not complete its TLS handshake within', false],
  halfOpen: ['did not end on our side after the end of the peer for', true],
  fin: ['did not end on the side of the peer, and nobody read it, for', true],
  linger: ['made no progress while it closed for', true],
  idle: ['was idle for', true],
  hold: ['was held for', false],
};

export class Timeouts {
  readonly #scheduler: SocketLimits['scheduler'];
  readonly #owner: TimeoutsOwner;
  readonly #deadlines: { [limit in Limit | 'close']: Deadline | undefined } = {
    connect: undefined,
    handshake: undefined,
    halfOpen: undefined,
    fin: undefined,
    linger: undefined,
    idle: undefined,
    hold: undefined,
    close: undefined,
  };

  constructor(scheduler: SocketLimits['scheduler'], owner: TimeoutsOwner) {
    this.#scheduler = scheduler;
    this.#owner = owner;
  }

  /** Starts, or restarts with the full time. */
  start(limit: Limit, milliseconds: number): void {
    const [what, byProgress] = LIMITS[limit];
    this.#deadlines[limit] ??= this.#deadline(`${limit}Timeout`, milliseconds, what, byProgress);
    this.#deadlines[limit].start();
  }

  isRunning(limit: Limit): boolean {
    return this.#deadlines[limit]?.running === true;
  }

  /** Restarts with the full time if it is running. */
  touch(limit: Limit): void {
    this.#deadlines[limit]?.touch();
  }

  stop(limit: Limit): void {
    this.#deadlines[limit]?.stop();
  }

  /** Starts the limit of one `close()`. */
  closeWithin(milliseconds: number): void {
    this.#deadlines.close?.stop();
    this.#deadlines.close = this.#deadline('close({ timeout })', milliseconds, 'did not close within', false);
    this.#deadlines.close.start();
  }

  stopAll(): void {
    for (const deadline of Object.values(this.#deadlines)) deadline?.stop();
  }

  #deadline(timeout: string, milliseconds: number, what: string, byProgress: boolean): Deadline {
    const owner = this.#owner;
    const onExpired = () => owner.timedOut(timeout, milliseconds, what);
    return new Deadline(this.#scheduler, milliseconds, onExpired, byProgress ? owner.progress : undefined);
  }
}
