// The events that a Node stream emits while it connects, as socket events.
import type { ConnectionAttemptEvent, ConnectionAttemptFailedEvent, LookupEvent } from '../base/events.js';

export type DialEvent = LookupEvent | ConnectionAttemptEvent | ConnectionAttemptFailedEvent;

type Listen = <A extends unknown[]>(event: string, listener: (...args: A) => void) => void;

/** @param listen Adds a listener to the stream. */
export function onDialEvents(emit: (event: DialEvent) => void, listen: Listen): void {
  const emitFailed = (address: string, port: number, code: string) =>
    emit({ type: 'connectionAttemptFailed', address, port, code });
  listen('lookup', (error: Error | null, address: string, family: number | string, host: string) => {
    if (!error) emit({ type: 'lookup', host, address, family: family === 6 ? 'IPv6' : 'IPv4' });
  });
  listen('connectionAttempt', (address: string, port: number) => emit({ type: 'connectionAttempt', address, port }));
  listen(
    'connectionAttemptFailed',
    (address: string, port: number, _family: number, { code = 'EIO' }: NodeJS.ErrnoException) =>
      emitFailed(address, port, code),
  );
  listen('connectionAttemptTimeout', (address: string, port: number) => emitFailed(address, port, 'ETIMEDOUT'));
}
