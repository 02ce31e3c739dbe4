// The options of replay().
import { checkInteger, checkObject, checkOneOf, checkOptions, type WithDefaults } from '../base/check.js';

/** Options of `replay()`. */
export interface ReplayOptions {
  /** The side that is played. The client is the side that dialled. */
  readonly side: 'client' | 'server';
  /** Which connection of the capture is played: 0 is the one that began first. @defaultValue 0 */
  readonly connection?: number | undefined;
  /**
   * How the bytes are cut. `'recorded'`: as they were. With a seed: at random, into pieces of 1 byte to 16 KiB, and what
   * was sent in several chunks may come in one. The same seed gives the same pieces.
   * @defaultValue 'recorded'
   */
  readonly chunking?: 'recorded' | SeedOptions | undefined;
  /**
   * When the bytes are sent. `'recorded'`: with the pauses that there were. `'immediate'`: without pauses. With a seed:
   * half of the pieces after a random pause of up to 10 ms. The same seed gives the same pauses.
   * @defaultValue 'recorded'
   */
  readonly timing?: 'recorded' | 'immediate' | SeedOptions | undefined;
}

/** What decides random choices. */
export interface SeedOptions {
  /** An integer. */
  readonly seed: number;
}

export type ResolvedReplayOptions = WithDefaults<ReplayOptions>;

/** Checks the options and fills in the defaults. */
export function resolveReplayOptions(options: ReplayOptions): ResolvedReplayOptions {
  checkOptions(options, "{ side: 'server' }");
  const { side, connection = 0, chunking = 'recorded', timing = 'recorded' } = options;
  checkOneOf('side', side, ['client', 'server']);
  checkInteger('connection', connection, 0);
  checkChoice('chunking', chunking, ['recorded']);
  checkChoice('timing', timing, ['recorded', 'immediate']);
  return { side, connection, chunking, timing };
}

function checkChoice(name: string, value: unknown, words: readonly string[]): void {
  if (words.some((word) => word === value)) return;
  checkObject(name, value, `an object, as in { seed: 1 }, or ${words.map((word) => `'${word}'`).join(', ')}`);
  checkInteger(`${name}.seed`, (value as SeedOptions).seed);
}
