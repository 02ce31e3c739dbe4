// A question to the system's resolver, with a time limit and a way to give it up.
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { Deadline } from '../base/deadline.js';
import { AbortedError, SocketError, SocketTimeoutError } from '../base/errors.js';
import { checkLimit } from '../engine/limits.js';

/** Options of {@link reverseLookup}, and of {@link resolveHost} too. */
export interface LookupOptions {
  /** How long it may take, in milliseconds; 0 = as long as the system tries. @defaultValue 30,000 */
  readonly timeout?: number;
  /** Gives it up. */
  readonly signal?: AbortSignal;
  /** Where the timer goes, so that virtual time works. @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}

type Answer<T> = (error: NodeJS.ErrnoException | null, found: T) => void;

/** Asks the resolver, and waits no longer than the options say. */
export function ask<T>(what: string, options: LookupOptions, question: (answer: Answer<T>) => void): Promise<T> {
  const { timeout = 30_000, signal, scheduler = asyncScheduler } = options;
  checkLimit('timeout', timeout);
  return new Promise<T>((resolve, reject) => {
    const fail = (error: SocketError) => {
      settle();
      reject(error);
    };
    const aborted = () => {
      const message = `Looking for ${what} was aborted`;
      fail(new AbortedError(message, { phase: 'open', cause: signal?.reason }));
    };
    const deadline = new Deadline(scheduler, timeout, () => {
      const message = `${what} was not found within ${timeout} ms, the timeout`;
      fail(new SocketTimeoutError(message, { phase: 'open', timeout: 'timeout', milliseconds: timeout }));
    });
    const settle = () => {
      deadline.stop();
      signal?.removeEventListener('abort', aborted);
    };
    if (signal?.aborted) return aborted();
    signal?.addEventListener('abort', aborted, { once: true });
    deadline.start();
    question((cause, found) => {
      settle();
      if (!cause) return resolve(found);
      const message = `Cannot find ${what}: ${cause.message}`;
      reject(new SocketError(message, { code: cause.code ?? 'EIO', phase: 'open', cause }));
    });
  });
}
