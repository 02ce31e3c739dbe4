// A number on a command line.
import { InvalidArgumentError } from 'commander';

/** Parses a number greater than 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('It must be a number greater than 0.');
  return value;
}
