// What a stream of Node's tells while it is being connected, as events.
import type { ConnectionAttemptEvent, ConnectionAttemptFailedEvent, LookupEvent } from '../base/events.js';

/** How far connecting is. */
export type ProgressEvent = LookupEvent | ConnectionAttemptEvent | ConnectionAttemptFailedEvent;

type Listen = <A extends unknown[]>(event: string, listener: (...args: A) => void) => void;

/** @param listen Adds a listener to the stream. */
export function onProgress(progress: (event: ProgressEvent) => void, listen: Listen): void {
  const failed = (address: string, port: number, code: string) =>
    progress({ type: 'connectionAttemptFailed', address, port, code });
  listen('lookup', (error: Error | null, address: string, family: number | string, host: string) => {
    if (!error) progress({ type: 'lookup', host, address, family: family === 6 ? 'IPv6' : 'IPv4' });
  });
  listen('connectionAttempt', (address: string, port: number) =>
    progress({ type: 'connectionAttempt', address, port }),
  );
  listen(
    'connectionAttemptFailed',
    (address: string, port: number, _family: number, { code = 'EIO' }: NodeJS.ErrnoException) =>
      failed(address, port, code),
  );
  listen('connectionAttemptTimeout', (address: string, port: number) => failed(address, port, 'ETIMEDOUT'));
}
