// What all examples share: messages about events and errors, and what Ctrl-C does.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type ConnectionErrorEvent, formatEndpoint, type ServerEvent } from '@rxsock/core';
import cliProgress from 'cli-progress';
import { BAD_ARGUMENT } from './kit/command-line.js';

/** Prints where a server listens, and every connection that failed. */
export function printEvent(event: ServerEvent | ConnectionErrorEvent): void {
  if (event.type === 'listening') console.log(`Listening on ${formatEndpoint(event.address)}`);
  if (event.type === 'connectionError') console.error(messageOf(event.error));
  if (event.type === 'drop')
    console.error(`A connection was dropped: ${event.error ? messageOf(event.error) : event.reason}`);
}

/** Shows a progress bar, if the output is a terminal. Use it with `using`, which removes the bar. */
export function progressBar(total: number, start: number): Disposable & { update(value: number): void } {
  const format = '{bar} {percentage} % of {total} bytes, {eta_formatted} left';
  const bar = new cliProgress.SingleBar({ format }, cliProgress.Presets.rect);
  bar.start(total, start);
  return { update: (value: number) => bar.update(value), [Symbol.dispose]: () => bar.stop() };
}

/** Returns the SHA-256 of a file, in hexadecimal digits. Rejects when `signal` is aborted. */
export async function sha256(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { signal }), hash);
  return hash.digest('hex');
}

/** Calls `stop` at the first Ctrl-C or SIGTERM. When the same one comes again, Node ends the program at once. */
export function onCtrlC(stop: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
}

const stopped = new AbortController();

/** Returns a signal for the sockets of a client. Ctrl-C aborts it, and with it the connections. */
export function untilCtrlC(): AbortSignal {
  onCtrlC(() => stopped.abort());
  return stopped.signal;
}

/**
 * Prints one line for an error and sets the exit code: 2 if the library has refused an option, otherwise 1. After Ctrl-C
 * a failed connection is no error: then it prints `whenStopped`, if there is one, and the exit code stays 0.
 */
export function fail(error: unknown, whenStopped?: string): void {
  if (stopped.signal.aborted) {
    if (whenStopped !== undefined) console.log(whenStopped);
    return;
  }
  console.error(messageOf(error));
  process.exitCode = error instanceof TypeError || error instanceof RangeError ? BAD_ARGUMENT : 1;
}

// An option that is not valid throws at the call. This prints one line for it instead of a stack trace.
process.on('uncaughtException', (error) => {
  fail(error);
  process.exit();
});

/** Returns the message of whatever was thrown. It may quote what a peer has said. */
export function messageOf(error: unknown): string {
  return printable((error instanceof Error ? error.message : String(error)).trimEnd());
}

/** Replaces the control characters of a text from a peer: they could take over the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, '\uFFFD');
}
