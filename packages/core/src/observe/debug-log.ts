// NODE_DEBUG=rxsock: a line for each message of the diagnostics channels.
import { type Channel, subscribe } from 'node:diagnostics_channel';
import { debuglog, inspect } from 'node:util';
import { type Endpoint, formatEndpoint } from '../base/endpoint.js';
import type { CloseReport } from '../base/events.js';

const log = debuglog('rxsock');

/** The parts of the messages that a line shows beside the socket or the server itself. */
interface LoggedMessage {
  readonly socket?: object;
  readonly server?: object;
  readonly pool?: object;
  readonly reason?: string;
  readonly remote?: Endpoint;
  readonly length?: number;
  readonly duration?: number;
  readonly dialDuration?: number;
  readonly handshakeDuration?: number;
  readonly report?: CloseReport;
  readonly attempt?: number;
  readonly delay?: number;
  readonly error?: unknown;
}

/** Logs these channels, if the environment asks for it. Otherwise nobody subscribes to them here. */
export function logChannels(channels: Readonly<Record<string, Channel>>): void {
  if (!log.enabled) return;
  for (const { name } of Object.values(channels)) {
    const event = String(name).split(':').slice(1).join(' ');
    subscribe(name, (message) => log(lineOf(event, message as LoggedMessage)));
  }
}

function lineOf(event: string, message: LoggedMessage): string {
  const { socket, server, pool, reason, remote, length, duration, dialDuration, handshakeDuration } = message;
  const { report, attempt, delay, error } = message;
  const subjects = [server, pool, socket].filter((subject) => subject !== undefined).map((subject) => inspect(subject));
  const facts = [
    reason,
    reason !== undefined && remote && formatEndpoint(remote),
    length !== undefined && `${length} bytes`,
    dialDuration !== undefined && `dialled for ${dialDuration.toFixed(1)} ms`,
    handshakeDuration !== undefined && `handshake of ${handshakeDuration.toFixed(1)} ms`,
    duration !== undefined && `held for ${duration.toFixed(1)} ms`,
    report &&
      `${report.how} by ${report.by} after ${report.duration.toFixed(0)} ms, ${report.bytesUnsent} bytes unsent`,
    delay !== undefined && `attempt ${attempt} in ${delay.toFixed(0)} ms`,
    error !== undefined && describe(error),
  ].filter((fact) => fact);
  return [`${event}: ${subjects.join(', ')}`, ...facts].join(' | ');
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error, { depth: 0 });
  return `${error.name} ${(error as NodeJS.ErrnoException).code ?? ''}: ${error.message}`;
}
