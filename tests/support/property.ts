// Runs a fast-check property with the number of runs, the seed and the path from the environment.
import fc from 'fast-check';

/** Reads a number from the environment. An empty variable counts as unset. */
function fromEnvironment(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${name} must be an integer; it is ${JSON.stringify(text)}.`);
  return value;
}

/** How often a property is tried: `RXSOCK_RUNS`, or a number of its own. */
export const runsOr = (number: number): number => fromEnvironment('RXSOCK_RUNS') ?? number;

/** How often most properties are tried. */
export const runs = runsOr(100);

/** The seed of this process: `RXSOCK_SEED`, or a new one each time. Every property starts with it. */
const seed = fromEnvironment('RXSOCK_SEED') ?? Math.floor(Math.random() * 0x7fffffff);

/** `RXSOCK_PATH`: the path to a counterexample. It belongs to one property, so choose the test as well (`-t`). */
const path = process.env.RXSOCK_PATH || undefined;

let printed = false;

/** Parameters for fast-check or `verifyCodec`. Prints the seed once per file, so that any run can be repeated. */
export function propertyParameters(): { numRuns: number; seed: number; path?: string } {
  if (!printed) console.log(`properties: RXSOCK_SEED=${seed} RXSOCK_RUNS=${runs}${path ? ` RXSOCK_PATH=${path}` : ''}`);
  printed = true;
  return { numRuns: runs, seed, ...(path === undefined ? {} : { path }) };
}

/**
 * Asserts a property. A failure reports the seed and the path that reproduce it. The given parameters override those of
 * the environment, for a property whose cases are expensive. An async property must be awaited.
 */
export function checkProperty<Ts>(property: fc.IAsyncProperty<Ts>, parameters?: fc.Parameters<Ts>): Promise<void>;
export function checkProperty<Ts>(property: fc.IProperty<Ts>, parameters?: fc.Parameters<Ts>): void;
export function checkProperty<Ts>(
  property: fc.IProperty<Ts> | fc.IAsyncProperty<Ts>,
  parameters: fc.Parameters<Ts> = {},
): Promise<void> | void {
  return fc.assert(property, { ...propertyParameters(), ...parameters });
}
