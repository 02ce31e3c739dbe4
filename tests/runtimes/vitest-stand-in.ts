// What the test files of tests/runtimes use of vitest, for runtimes that cannot run vitest: plain functions, in one
// process. The bundle of a test file imports this in place of vitest, so that every runtime runs the same tests.
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  GLOBAL_EXPECT,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect';
import { fn, spyOn } from '@vitest/spy';

type Act = (context: { task: { name: string; meta: object } }) => unknown;

export interface Case {
  readonly name: string;
  readonly act: Act;
  readonly hooks: Hooks;
  readonly timeout: number;
}

/** The hooks of a `describe` block, inside those of the block around it. */
interface Hooks {
  readonly around: Hooks | undefined;
  readonly beforeAll: (() => unknown)[];
  readonly beforeEach: (() => unknown)[];
  readonly afterEach: (() => unknown)[];
}

/** How long a test may take, in milliseconds, unless it says so itself. */
const TIMEOUT = Number(process.env.RXSOCK_TEST_TIMEOUT ?? 20_000);
const POLL_TIMEOUT = TIMEOUT * 0.75;

/** All tests of the imported file, in their order. */
export const cases: Case[] = [];

const hooksIn = (around: Hooks | undefined): Hooks => ({ around, beforeAll: [], beforeEach: [], afterEach: [] });
let path: string[] = [];
let hooks = hooksIn(undefined);
let finishers: (() => unknown)[] | undefined;

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

export const expect = Object.assign((value: unknown, message?: string) => chai.expect(value, message), {
  ...(chai.expect as object),
  ...(globalThis as unknown as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT],
  getState: () => getState(expect as never),
  setState: (state: object) => setState(state, expect as never),
  poll,
});
Object.assign(globalThis, { [GLOBAL_EXPECT]: expect });
setState({ assertionCalls: 0, isExpectingAssertions: false } as never, expect as never);

export const vi = { spyOn, fn };

/** Asks again until the matcher passes. */
function poll(read: () => unknown): unknown {
  const until =
    (matcher: string) =>
    async (...expected: unknown[]) => {
      const start = performance.now();
      for (;;) {
        try {
          const assertion = expect(await read()) as unknown as Record<string, (...expected: unknown[]) => unknown>;
          return assertion[matcher]?.(...expected);
        } catch (error) {
          if (performance.now() - start > POLL_TIMEOUT) throw error;
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
    };
  return new Proxy({}, { get: (_, matcher) => until(String(matcher)) });
}

export function describe(name: string, define: () => void): void {
  const outside = { path, hooks };
  path = [...path, name];
  hooks = hooksIn(hooks);
  define();
  ({ path, hooks } = outside);
}

export function test(name: string, act: Act, timeout = TIMEOUT): void {
  cases.push({ name: [...path, name].join(' > '), act, hooks, timeout });
}

/** Replaces `%s` and `$name` as vitest does, as far as the names here need it. */
function title(pattern: string, row: readonly unknown[]): string {
  let at = 0;
  return pattern
    .replace(/%[sdij]/g, () => String(row[at++]))
    .replace(/\$(\w+)/g, (_, key: string) => String((row[0] as Record<string, unknown>)?.[key]));
}

/** The arguments of each row. */
const argsOf = (rows: readonly unknown[]) => rows.map((row) => (Array.isArray(row) ? row : [row]));

test.each = (rows: readonly unknown[]) => (name: string, act: (...args: unknown[]) => unknown, timeout?: number) => {
  for (const args of argsOf(rows)) test(title(name, args), () => act(...args), timeout);
};

describe.each = (rows: readonly unknown[]) => (name: string, define: (...args: unknown[]) => void) => {
  for (const args of argsOf(rows)) describe(title(name, args), () => define(...args));
};

export const beforeAll = (hook: () => unknown): void => void hooks.beforeAll.push(hook);
export const beforeEach = (hook: () => unknown): void => void hooks.beforeEach.push(hook);
export const afterEach = (hook: () => unknown): void => void hooks.afterEach.push(hook);
/** The process ends after the tests. */
export const afterAll = (): void => {};

export function onTestFinished(finisher: () => unknown): void {
  if (!finishers) throw new Error('onTestFinished() outside of a test');
  finishers.push(finisher);
}

/** Without a property of its own: a program that is missing is an error. */
export const TestRunner = {};

/** Runs one test, with its hooks and within its time. Throws what it throws. */
export async function runCase({ name, act, hooks: own, timeout }: Case): Promise<void> {
  const mine: (() => unknown)[] = [];
  finishers = mine;
  const all: Hooks[] = [];
  for (let level: Hooks | undefined = own; level; level = level.around) all.unshift(level);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not end within ${timeout / 1000} s`)), timeout);
  });
  const run = async () => {
    for (const level of all) for (const hook of level.beforeAll.splice(0)) await hook();
    for (const level of all) for (const hook of level.beforeEach) await hook();
    await act({ task: { name, meta: {} } });
  };
  try {
    await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
    for (const level of all.reverse()) for (const hook of level.afterEach) await hook();
    for (const finisher of mine.reverse()) await finisher();
    finishers = undefined;
  }
}
