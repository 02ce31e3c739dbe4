// The time limits of one connection. Each is made when it starts for the first time: most connections need few of them.
import { Deadline, type ProgressMeter } from '../base/deadline.js';
import type { SocketLimits } from './limits.js';

/**
 * - `connect`: from dialling until the Node stream is open.
 * - `handshake`: from the open Node stream until the end of its handshake.
 * - `halfOpen`: from the peer's FIN until ours. Restarts at write progress, stands still while held.
 * - `fin`: from `complete()` until the peer's FIN. Restarts at write progress, and at what a reader receives. Stands still
 *   while somebody reads.
 * - `linger`: while leaving. Restarts at any progress.
 * - `idle`: restarts at every read and write, stands still while held.
 * - `hold`: while held.
 */
export type Limit = 'connect' | 'handshake' | 'halfOpen' | 'fin' | 'linger' | 'idle' | 'hold';

/** How long a dial may take, in milliseconds. */
export interface DialTimes {
  readonly connectTimeout: number;
  readonly handshakeTimeout?: number | undefined;
}

/** What a time limit needs of its connection. */
export interface TimeoutsOwner {
  /** The lengths of the limits, in milliseconds, by the names of their options. */
  readonly limits: SocketLimits;
  /** What the peer has taken. While it grows, limits that wait for progress restart. */
  readonly progress: ProgressMeter;
  /** A limit has passed. @param what What did not happen. */
  timedOut(timeout: string, milliseconds: number, what: string): void;
}

/** The option, what did not happen within the limit, and whether progress of the writes restarts it. */
const LIMITS: {
  readonly [limit in Limit]: readonly [option: `${limit}Timeout`, what: string, byProgress: boolean];
} = {
  connect: ['connectTimeout', 'did not open within', false],
  handshake: ['handshakeTimeout', 'did not complete its TLS handshake within', false],
  halfOpen: ['halfOpenTimeout', 'did not end on our side after the end of the peer for', true],
  fin: ['finTimeout', 'did not end on the side of the peer, and nobody read it, for', true],
  linger: ['lingerTimeout', 'made no progress while it closed for', true],
  idle: ['idleTimeout', 'was idle for', true],
  hold: ['holdTimeout', 'was held for', false],
};

type Deadlines = { [limit in Limit | 'close']: Deadline | undefined };

export class Timeouts {
  readonly #owner: TimeoutsOwner;
  /** `undefined` for a connection that was open from the start. */
  readonly #dialTimes: DialTimes | undefined;
  /** `undefined` until a limit starts. */
  #deadlines: Deadlines | undefined;

  constructor(owner: TimeoutsOwner, dialTimes: DialTimes | undefined) {
    this.#owner = owner;
    this.#dialTimes = dialTimes;
  }

  /** Starts, or restarts with the full time. */
  start(limit: Limit): void {
    this.#made(limit)?.start();
  }

  /** Starts or stops a limit. One that is already running keeps its time. */
  setRunning(limit: Limit, running: boolean): void {
    if (!running) this.stop(limit);
    else this.#made(limit)?.run();
  }

  /** A limit that is running stands still; or it goes on with the time that is left, or starts. */
  setPaused(limit: Limit, paused: boolean): void {
    if (paused) this.#deadlines?.[limit]?.pause();
    else this.#made(limit)?.run();
  }

  /** Restarts with the full time if it is running. */
  touch(limit: Limit): void {
    this.#deadlines?.[limit]?.touch();
  }

  /** Bytes came. @param linger Whether they are progress for this limit. @param fin As `linger`. */
  touchRead(linger: boolean, fin: boolean): void {
    const deadlines = this.#deadlines;
    if (!deadlines) return;
    deadlines.idle?.touch();
    if (linger) deadlines.linger?.touch();
    if (fin) deadlines.fin?.touch();
  }

  /** Bytes have left. */
  touchWritten(): void {
    const deadlines = this.#deadlines;
    if (!deadlines) return;
    deadlines.idle?.touch();
    deadlines.linger?.touch();
    deadlines.halfOpen?.touch();
    deadlines.fin?.touch();
  }

  stop(limit: Limit): void {
    this.#deadlines?.[limit]?.stop();
  }

  /** Starts the limit of one `close()`. It replaces the limits of an open connection, and those of leaving. */
  closeWithin(milliseconds: number): void {
    this.stop('linger');
    this.stop('idle');
    const deadlines = this.#make();
    deadlines.close?.stop();
    deadlines.close = this.#deadline('close({ timeout })', milliseconds, 'did not close within', false);
    deadlines.close.start();
  }

  /** Whether `close()` was called with a time limit. */
  get hasCloseLimit(): boolean {
    return this.#deadlines?.close !== undefined;
  }

  stopAll(): void {
    if (this.#deadlines) for (const deadline of Object.values(this.#deadlines)) deadline?.stop();
  }

  #lengthOf(limit: Limit): number {
    const [option] = LIMITS[limit];
    if (option === 'connectTimeout' || option === 'handshakeTimeout') return this.#dialTimes?.[option] ?? 0;
    return this.#owner.limits[option];
  }

  /** Returns the deadline of a limit; `undefined` if there is no limit. */
  #made(limit: Limit): Deadline | undefined {
    const milliseconds = this.#lengthOf(limit);
    if (milliseconds === 0) return undefined;
    const [option, what, byProgress] = LIMITS[limit];
    const deadlines = this.#make();
    deadlines[limit] ??= this.#deadline(option, milliseconds, what, byProgress);
    return deadlines[limit];
  }

  // All places at once: objects of one shape.
  #make(): Deadlines {
    this.#deadlines ??= {
      connect: undefined,
      handshake: undefined,
      halfOpen: undefined,
      fin: undefined,
      linger: undefined,
      idle: undefined,
      hold: undefined,
      close: undefined,
    };
    return this.#deadlines;
  }

  #deadline(timeout: string, milliseconds: number, what: string, byProgress: boolean): Deadline {
    const owner = this.#owner;
    const onExpired = () => owner.timedOut(timeout, milliseconds, what);
    return new Deadline(owner.limits.scheduler, milliseconds, onExpired, byProgress ? owner.progress : undefined);
  }
}
