// The options of every socket, with their checks and defaults. All limits are finite by default.
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import {
  checkBoolean,
  checkFiniteSize,
  checkInteger,
  checkNumber,
  checkOptions,
  checkScheduler,
  checkSignal,
  checkSize,
  checkTimeout,
  rangeError,
  type WithDefaults,
} from '../base/check.js';
import { LONGEST_TIMER } from '../base/deadline.js';
import type { Budget } from './budget.js';
import { checkBudget, type MemoryBudget } from './memory-budget.js';

/** Options of every {@link Socket}, over any transport. All times are in milliseconds, all sizes in bytes. */
export interface SocketOptions {
  /**
   * The mark at which `next()` returns `false`, and how many bytes are read ahead while the socket is held; in bytes.
   * @defaultValue 65,536
   */
  readonly highWaterMark?: number | undefined;
  /**
   * How many bytes may wait to be written, not counting the present chunk. Past it the socket fails with
   * {@link WriteBufferOverflowError}, which protects the memory of the process. Infinity means no limit. The memory in
   * use is about the same: small chunks are joined while they wait, and from the 1,025th pending `write()` on, each
   * counts as 400 bytes more.
   * @defaultValue 67,108,864
   */
  readonly maxWriteBuffer?: number | undefined;
  /**
   * Whether our side stays open after the peer's FIN. If not, it completes after its pending writes, as in Node.
   * @defaultValue `false`
   */
  readonly allowHalfOpen?: boolean | undefined;
  /**
   * How long our side may stay open after the peer's FIN without write progress, in milliseconds. 0 and Infinity mean
   * no limit. See `lingerTimeout` for what counts as progress.
   * @defaultValue 60,000
   */
  readonly halfOpenTimeout?: number | undefined;
  /**
   * How long to wait for the peer's FIN after `complete()` while nobody reads, after `close()`, after the last
   * subscriber has left, and after a failed write; in milliseconds. 0 and Infinity mean no limit. Write progress
   * restarts it: see `lingerTimeout`. After `complete()` it stands still while somebody reads, and restarts at what
   * that reader receives.
   * @defaultValue 60,000
   */
  readonly finTimeout?: number | undefined;
  /**
   * After the last subscriber has left: how long the peer may take none of the pending bytes, and then how long it may
   * send nothing before its FIN; in milliseconds. 0 and Infinity mean no limit.
   *
   * The peer has taken bytes when its kernel has acknowledged them. Kernels acknowledge in steps: while a peer reads
   * 0.1 MB/s without a pause, its steps may be 7 s apart. The default is longer than that. With a limit below 10 s, the
   * socket may give up such a peer. A peer that has stopped is given up after once to twice the limit, because the
   * socket looks for acknowledgements only when the limit passes.
   *
   * Only Linux shows acknowledgements, over TCP and TLS. Elsewhere progress is what the kernel of this side has taken.
   * Its steps may be larger: over a UNIX socket on Linux 180 KB, on Windows a whole write. Choose longer limits there.
   * @defaultValue 15,000
   */
  readonly lingerTimeout?: number | undefined;
  /**
   * How long nothing may be read or written before the socket emits `timeout` and fails, in milliseconds. 0 and
   * Infinity mean no limit. The time stands still while the socket is held. While pending bytes make progress, the
   * socket is not idle: see `lingerTimeout`.
   * @defaultValue 0
   */
  readonly idleTimeout?: number | undefined;
  /**
   * How long the socket may be held without a break before it fails with an error that names its holders, in
   * milliseconds. 0 and Infinity mean no limit.
   * @defaultValue 0
   */
  readonly holdTimeout?: number | undefined;
  /**
   * The lowest rate at which the peer may take what is written to it, in bytes per second. 0 means no limit. It
   * protects a server from peers that read a byte now and then, and so keep its memory and their connection for as long
   * as they like: `idleTimeout` does not see them, because each byte is progress.
   *
   * Once in every `writeGracePeriod` while bytes wait, the socket compares what the peer has taken since the last time.
   * If that is less than this rate, and less than what waited, it fails with a {@link SocketTimeoutError}. So a peer
   * that takes all there is may take as little as it likes. A peer that is too slow is given up after once to twice the
   * `writeGracePeriod`. See `lingerTimeout` for when the peer has taken bytes.
   * @defaultValue 0
   */
  readonly minWriteRate?: number | undefined;
  /**
   * How long the rate of `minWriteRate` is measured, in milliseconds, from 1 to 2,147,483,647. A slow reader takes
   * bytes in steps, which may be as large as half of its receive buffer. If the steps of an honest peer are further
   * apart than this, it may be given up.
   * @defaultValue 15,000
   */
  readonly writeGracePeriod?: number | undefined;
  /**
   * When the socket closes after its last subscriber has left: `false` in the next turn of the event loop, a number
   * after that many milliseconds, `true` never.
   * @defaultValue `false`
   */
  readonly keepOpen?: boolean | number | undefined;
  /**
   * One bound for what many sockets keep together: see {@link memoryBudget}. A server passes it to the sockets that it
   * accepts.
   * @defaultValue none
   */
  readonly budget?: MemoryBudget | undefined;
  /** Aborts the socket. @defaultValue none */
  readonly signal?: AbortSignal | undefined;
  /**
   * The scheduler of all turns and timers, so that virtual time works.
   * @defaultValue `asyncScheduler`
   */
  readonly scheduler?: SchedulerLike | undefined;
}

/** {@link SocketOptions} with every default filled in. */
export type SocketLimits = WithDefaults<Omit<SocketOptions, 'signal' | 'budget'>> & {
  readonly signal: AbortSignal | undefined;
  readonly budget: Budget | undefined;
};

/** Checks the options of a socket and fills in the defaults. */
export function resolveSocketOptions(options: SocketOptions = {}): SocketLimits {
  checkOptions(options, '{ port: 7000 }');
  const {
    highWaterMark = 65_536,
    maxWriteBuffer = 67_108_864,
    allowHalfOpen = false,
    halfOpenTimeout = 60_000,
    finTimeout = 60_000,
    lingerTimeout = 15_000,
    idleTimeout = 0,
    holdTimeout = 0,
    minWriteRate = 0,
    writeGracePeriod = 15_000,
    keepOpen = false,
    budget,
    signal,
    scheduler = asyncScheduler,
  } = options;
  const timeouts = { halfOpenTimeout, finTimeout, lingerTimeout, idleTimeout, holdTimeout };
  // Node's streams accept no other number.
  if (typeof highWaterMark === 'number' && !Number.isSafeInteger(highWaterMark))
    throw rangeError('highWaterMark', 'a whole number of bytes', highWaterMark);
  checkFiniteSize('highWaterMark', highWaterMark);
  checkSize('maxWriteBuffer', maxWriteBuffer);
  checkBoolean('allowHalfOpen', allowHalfOpen);
  for (const [name, value] of Object.entries(timeouts)) checkTimeout(name, value);
  checkNumber('minWriteRate', minWriteRate, 0, Number.MAX_SAFE_INTEGER, 'a number of bytes per second, 0 or more');
  checkInteger('writeGracePeriod', writeGracePeriod, 1, LONGEST_TIMER);
  if (typeof keepOpen !== 'boolean') checkTimeout('keepOpen', keepOpen, 'true, false or ');
  if (budget !== undefined) checkBudget('budget', budget);
  if (signal !== undefined) checkSignal('signal', signal);
  checkScheduler('scheduler', scheduler);
  return {
    highWaterMark,
    maxWriteBuffer,
    allowHalfOpen,
    ...timeouts,
    minWriteRate,
    writeGracePeriod,
    keepOpen: Number(keepOpen) > LONGEST_TIMER ? true : keepOpen,
    budget,
    signal,
    scheduler,
  };
}
