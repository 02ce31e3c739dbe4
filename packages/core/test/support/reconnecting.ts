// Links on virtual time, to plain servers that come and go.
import { type ConnectOptions, connect, type ReconnectingSocket, type ReconnectOptions, reconnect } from '@rxsock/core';
import { onTestFinished } from 'vitest';
import { Clock } from '../../../../tests/support/clock.js';
import { type Recording, record } from '../../../../tests/support/record.js';

export interface TestLink {
  readonly link: ReconnectingSocket;
  readonly clock: Clock;
}

/** No jitter, so that the delays are 100, 200, 400 … milliseconds. */
export const BACKOFF = { initial: 100, jitter: 0, resetAfter: 1000 };

/** A link whose own time passes by the clock only; aborted when the test is over. */
export function linkTo(
  port: number | (() => number),
  options: ReconnectOptions = {},
  socket: Partial<ConnectOptions> = {},
): TestLink {
  const clock = new Clock();
  const dial = () => connect({ host: '127.0.0.1', ...socket, port: typeof port === 'number' ? port : port() });
  const link = reconnect(dial, { backoff: BACKOFF, scheduler: clock, ...options });
  onTestFinished(() => link.error());
  return { link, clock };
}

/** What a link tells, without the steps of dialling. */
export function tell({ link }: TestLink): Recording<unknown> & { readonly told: () => string[] } {
  const recording = record(link);
  return {
    ...recording,
    told: () => recording.log.filter((entry) => !/^(lookup|connectionAttempt|connectionAttemptFailed)$/.test(entry)),
  };
}
