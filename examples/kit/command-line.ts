// The command lines of all examples and of the tour: how they are described, and what happens to a bad argument.
import { Command, InvalidArgumentError } from 'commander';

/** The exit code of a program that was called with a bad argument. */
export const BAD_ARGUMENT = 2;

/** The options of every server. */
export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  /** How long open connections may go on after Ctrl-C, in milliseconds. */
  readonly drain: number;
}

/** Creates a command line. For a bad argument it prints one line and exits with {@link BAD_ARGUMENT}. */
export function commandLine(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : BAD_ARGUMENT));
}

/** Creates the command line of a server. */
export function serverCommandLine(name: string, description: string): Command {
  return commandLine(name, description)
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--port <number>', 'the port to listen on; 0 means any free port', parsePort, 0)
    .option(
      '--drain <ms>',
      'how long open connections may go on after Ctrl-C, in milliseconds',
      parseMilliseconds,
      2000,
    );
}

/** Parses a port. */
export const parsePort = wholeNumber(0, 65_535);

/** Parses a duration. */
export const parseMilliseconds = wholeNumber(0, 2 ** 31 - 1);

/** Parses a number of things. */
export const parseCount = wholeNumber(0, 2 ** 31 - 1);

/** Returns a parser of whole numbers in this range. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    if (!/^\d+$/.test(text) || Number(text) < min || Number(text) > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return Number(text);
  };
}

/** Returns a parser of texts that look like this. */
export function parseText(pattern: RegExp, expected: string): (text: string) => string {
  return (text) => {
    if (!pattern.test(text)) throw new InvalidArgumentError(`It must be ${expected}.`);
    return text;
  };
}
