// Waits for a successor process to report that it is ready.
import type { ChildProcess } from 'node:child_process';
import type { SchedulerLike } from 'rxjs';
import { Deadline } from '../base/deadline.js';
import { SocketTimeoutError } from '../base/errors.js';
import { HandOverError } from './errors.js';

const REMEDY = "it must call process.send('ready') once it listens";

/**
 * Resolves when the successor sends `'ready'`. Kills the successor after `timeout`. Rejects when the successor has
 * ended before it was ready.
 */
export function waitUntilReady(
  successor: ChildProcess,
  command: string,
  timeout: number,
  scheduler: SchedulerLike,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let timeoutError: SocketTimeoutError | undefined;
    const fail = (message: string, cause?: unknown) => {
      settle();
      reject(timeoutError ?? new HandOverError(message, { code: 'ERR_HANDOVER_FAILED', cause }));
    };
    const onMessage = (message: unknown) => {
      if (message !== 'ready' || timeoutError) return;
      settle();
      resolve();
    };
    const onExit = (code: number | null, signal: string | null) => {
      const how = code === null ? `was killed by ${signal}` : `exited with code ${code}`;
      fail(`The successor ${command} ${how} before it was ready: ${REMEDY}`);
    };
    const onError = (cause: Error) => fail(`Cannot start the successor ${command}: ${cause.message}`, cause);
    const deadline = new Deadline(scheduler, timeout, () => {
      const late = `was not ready within readyTimeout (${timeout} ms) and was killed`;
      const message = `The successor ${command} ${late}: ${REMEDY}`;
      timeoutError = new SocketTimeoutError(message, { phase: 'open', timeout: 'readyTimeout', milliseconds: timeout });
      // `exit` follows, and rejects.
      successor.kill('SIGKILL');
    });
    const settle = () => {
      deadline.stop();
      successor.off('message', onMessage).off('exit', onExit).off('error', onError);
    };
    successor.on('message', onMessage).on('exit', onExit).on('error', onError);
    deadline.start();
  });
}
