// One query to the system's resolver, with a time limit and an AbortSignal.

import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { onAbortSignal } from '../base/abort-signals.js';
import { checkOptions, checkScheduler, checkSignal, checkTimeout } from '../base/check.js';
import { Deadline } from '../base/deadline.js';
import { AbortedError, SocketError, SocketTimeoutError } from '../base/errors.js';

/** Options of {@link reverseLookup} and {@link resolveHost}. */
export interface LookupOptions {
  /** How long the lookup may take, in milliseconds. 0 and Infinity mean no limit. @defaultValue 30,000 */
  readonly timeout?: number | undefined;
  /** Aborts the lookup: it rejects with an {@link AbortedError}. */
  readonly signal?: AbortSignal | undefined;
  /** The scheduler of the timer, so that tests can use virtual time. @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike | undefined;
}

type NodeCallback<T> = (error: NodeJS.ErrnoException | null, result: T) => void;

/**
 * Runs one query, within the limits of the options.
 * @param wanted What the caller looks for, for the messages.
 * @param query Starts the query. Node cannot stop it: a result that comes after the limit is ignored.
 */
export function queryResolver<T>(
  wanted: string,
  options: LookupOptions,
  query: (callback: NodeCallback<T>) => void,
): Promise<T> {
  checkOptions(options, '{ timeout: 5000 }');
  const { timeout = 30_000, signal, scheduler = asyncScheduler } = options;
  checkTimeout('timeout', timeout);
  if (signal !== undefined) checkSignal('signal', signal);
  checkScheduler('scheduler', scheduler);
  return new Promise<T>((resolve, reject) => {
    const fail = (error: SocketError) => {
      settle();
      reject(error);
    };
    const onAbort = () => {
      const message = `Cannot find ${wanted}: the lookup was aborted`;
      fail(new AbortedError(message, { phase: 'open', cause: signal?.reason }));
    };
    const deadline = new Deadline(scheduler, timeout, () => {
      const message = `Cannot find ${wanted}: the resolver did not answer within timeout (${timeout} ms)`;
      fail(new SocketTimeoutError(message, { phase: 'open', timeout: 'timeout', milliseconds: timeout }));
    });
    let ignoreSignal: (() => void) | undefined;
    const settle = () => {
      deadline.stop();
      ignoreSignal?.();
    };
    if (signal?.aborted) return onAbort();
    ignoreSignal = signal && onAbortSignal(signal, onAbort);
    deadline.start();
    query((cause, result) => {
      settle();
      if (!cause) return resolve(result);
      const message = `Cannot find ${wanted}: ${cause.message}`;
      reject(new SocketError(message, { code: cause.code ?? 'EIO', phase: 'open', cause }));
    });
  });
}
