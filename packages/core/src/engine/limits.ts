// What every socket can be told, and the defaults: all limits are finite.
import { inspect } from 'node:util';
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { LONGEST_TIMER } from '../base/deadline.js';

/** Options of every {@link Socket}, whatever opens it. All times are in milliseconds, all sizes in bytes. */
export interface SocketOptions {
  /**
   * Where `next()` begins to answer `false`, and how much is read ahead while nobody takes it; in bytes.
   * @defaultValue 65,536
   */
  readonly highWaterMark?: number;
  /**
   * The most bytes that may wait to be written before the chunk at hand. Past it the socket fails with
   * {@link WriteBufferOverflowError} instead of eating the process.
   * @defaultValue 67,108,864
   */
  readonly maxWriteBuffer?: number;
  /**
   * Whether our side stays open after the peer's FIN. If not, it completes after its pending writes, as in Node.
   * @defaultValue `false`
   */
  readonly allowHalfOpen?: boolean;
  /**
   * How long our side may stay open after the peer's FIN without write progress, in milliseconds; 0 = for ever.
   * @defaultValue 60,000
   */
  readonly halfOpenTimeout?: number;
  /**
   * How long to wait for the peer's FIN after our own while nobody reads, in milliseconds; 0 = for ever.
   * @defaultValue 60,000
   */
  readonly finTimeout?: number;
  /**
   * When the last subscriber has left: how long a flush may make no progress, and after it how long the peer may send
   * nothing before its FIN; in milliseconds, 0 = for ever.
   * @defaultValue 5,000
   */
  readonly lingerTimeout?: number;
  /**
   * How long nothing may be read or written before the socket tells `timeout` and fails, in milliseconds; 0 = for ever.
   * Stands still while the socket is held.
   * @defaultValue 0
   */
  readonly idleTimeout?: number;
  /**
   * How long the socket may be held at a stretch before it fails and names its holders, in milliseconds; 0 = for ever.
   * @defaultValue 0
   */
  readonly holdTimeout?: number;
  /**
   * What happens when the last subscriber leaves: `false` closes by the next turn of the event loop, a number that many
   * milliseconds later, `true` never.
   * @defaultValue `false`
   */
  readonly keepOpen?: boolean | number;
  /** Aborts the socket. */
  readonly signal?: AbortSignal;
  /**
   * Where all turns and timers go, so that virtual time works.
   * @defaultValue `asyncScheduler`
   */
  readonly scheduler?: SchedulerLike;
}

/** {@link SocketOptions} with every default filled in. */
export type SocketLimits = Required<Omit<SocketOptions, 'signal'>> & { readonly signal: AbortSignal | undefined };

const NUMBERS = [
  'highWaterMark',
  'maxWriteBuffer',
  'halfOpenTimeout',
  'finTimeout',
  'lingerTimeout',
  'idleTimeout',
  'holdTimeout',
] as const;

/** Fills in the defaults and refuses numbers that mean nothing. */
export function resolveSocketOptions(options: SocketOptions = {}): SocketLimits {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`The options must be an object, as in { port: 7000 }, not ${inspect(options)}`);
  }
  const limits: SocketLimits = {
    highWaterMark: options.highWaterMark ?? 65_536,
    maxWriteBuffer: options.maxWriteBuffer ?? 67_108_864,
    allowHalfOpen: options.allowHalfOpen ?? false,
    halfOpenTimeout: options.halfOpenTimeout ?? 60_000,
    finTimeout: options.finTimeout ?? 60_000,
    lingerTimeout: options.lingerTimeout ?? 5_000,
    idleTimeout: options.idleTimeout ?? 0,
    holdTimeout: options.holdTimeout ?? 0,
    keepOpen: Number(options.keepOpen) > LONGEST_TIMER ? true : (options.keepOpen ?? false),
    signal: options.signal,
    scheduler: options.scheduler ?? asyncScheduler,
  };
  for (const name of NUMBERS) checkLimit(name, limits[name]);
  // Node's streams take no other.
  if (!Number.isSafeInteger(limits.highWaterMark))
    throw new RangeError(`highWaterMark must be a whole number of bytes, not ${inspect(limits.highWaterMark)}`);
  if (typeof limits.keepOpen !== 'boolean') checkLimit('keepOpen', limits.keepOpen);
  return limits;
}

/** Throws a `RangeError` unless `value` is a number from 0 up. */
export function checkLimit(name: string, value: number): void {
  if (typeof value === 'number' && value >= 0) return;
  throw new RangeError(`${name} must be a number from 0 up, not ${inspect(value)}`);
}
