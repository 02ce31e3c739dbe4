// The command lines of all examples: options, what is printed, Ctrl-C, and one line for an error.
import { type ConnectionErrorEvent, formatEndpoint, type ServerEvent } from '@rxsock/core';
import cliProgress from 'cli-progress';
import { Command, InvalidArgumentError } from 'commander';

/** What every server can be told. */
export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  /** How long open connections may go on after Ctrl-C, in milliseconds. */
  readonly drain: number;
}

/** The command line of a server. */
export function serverCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--port <number>', 'the port to listen on; 0 takes any free one', port, 0)
    .option('--drain <ms>', 'how long open connections may go on after Ctrl-C, in milliseconds', milliseconds, 2000);
}

/** Prints where a server listens, and each connection that failed. */
export function printEvent(event: ServerEvent | ConnectionErrorEvent): void {
  if (event.type === 'listening') console.log(`Listening on ${formatEndpoint(event.address)}`);
  if (event.type === 'connectionError') console.error(message(event.error));
  if (event.type === 'drop') console.error(`A connection was dropped: ${event.error?.message ?? event.reason}`);
}

/** A progress bar on a terminal; nothing elsewhere. `using` takes it away again. */
export function progressBar(total: number, start: number): Disposable & { update(value: number): void } {
  const format = '{bar} {percentage} % of {total} bytes, {eta_formatted} left';
  const bar = new cliProgress.SingleBar({ format }, cliProgress.Presets.rect);
  bar.start(total, start);
  return { update: (value: number) => bar.update(value), [Symbol.dispose]: () => bar.stop() };
}

/**
 * Prints one line for an error; the exit code will be 1. What fails because of Ctrl-C is no error: then it prints
 * `whenStopped`, if there is anything to tell.
 */
export function fail(error: unknown, whenStopped?: string): void {
  if (stopped.signal.aborted) {
    if (whenStopped !== undefined) console.log(whenStopped);
    return;
  }
  console.error(message(error));
  process.exitCode = 1;
}

// Also for what throws at once, because an option makes no sense.
process.on('uncaughtException', (error) => {
  fail(error);
  process.exit();
});

/** Calls `act` at the first Ctrl-C, or when the system asks the program to end; the second one ends it at once. */
export function onCtrlC(act: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, act);
}

const stopped = new AbortController();

/** Aborted at Ctrl-C: for the sockets of a client, which then waits for nobody. See {@link fail}, too. */
export function untilCtrlC(): AbortSignal {
  onCtrlC(() => stopped.abort());
  return stopped.signal;
}

/** Reads a port from the command line. */
export function port(text: string): number {
  return whole(text, 65_535);
}

/** Reads a time from the command line. */
export function milliseconds(text: string): number {
  return whole(text, 2 ** 31 - 1);
}

/** Reads how many from the command line. */
export function count(text: string): number {
  return whole(text, 2 ** 31 - 1);
}

function whole(text: string, most: number): number {
  if (!/^\d+$/.test(text) || Number(text) > most) {
    throw new InvalidArgumentError(`It must be a whole number from 0 to ${most}.`);
  }
  return Number(text);
}

/** What went wrong, in one line. */
export function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
