// Reconnecting sockets on virtual time, to plain servers that come and go.
import { type ConnectOptions, connect, type ReconnectingSocket, type ReconnectOptions, reconnect } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { onTestFinished } from 'vitest';
import { type Recording, record } from '../../../../tests/support/record.js';

export interface TestReconnecting {
  readonly reconnecting: ReconnectingSocket;
  readonly clock: VirtualClock;
}

/** No jitter, so that the delays are 100, 200, 400 … milliseconds. */
const BACKOFF = { initial: 100, jitter: 0, resetAfter: 1000 };

/** A reconnecting socket on a virtual clock. It is aborted when the test is over. */
export function reconnectingTo(
  port: number | (() => number),
  options: ReconnectOptions = {},
  socket: Partial<ConnectOptions> = {},
): TestReconnecting {
  const clock = new VirtualClock();
  const dial = () => connect({ host: '127.0.0.1', ...socket, port: typeof port === 'number' ? port : port() });
  const reconnecting = reconnect(dial, { backoff: BACKOFF, scheduler: clock, ...options });
  onTestFinished(() => reconnecting.error());
  return { reconnecting, clock };
}

/** Records what a reconnecting socket emits, without the steps of dialling. */
export function recordEvents({
  reconnecting,
}: TestReconnecting): Recording<unknown> & { readonly eventTypes: () => string[] } {
  const recording = record(reconnecting);
  return {
    ...recording,
    eventTypes: () =>
      recording.log.filter((entry) => !/^(lookup|connectionAttempt|connectionAttemptFailed)$/.test(entry)),
  };
}
