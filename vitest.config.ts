import { configDefaults, defineConfig } from 'vitest/config';
import { publishedPackages } from './scripts/lib/packages.mjs';
import { missingProgramsReporter } from './tests/support/missing-programs-reporter.js';

/**
 * Tests import the packages by name and get their sources; child processes run the bundles. The first match counts, so
 * subpaths come first.
 */
export const alias = publishedPackages()
  .flatMap(({ entries }) => entries.map(({ name, source }) => ({ find: name, replacement: source })))
  .sort((a, b) => b.find.length - a.find.length);

/** Test files that have a process of their own. */
const isolated = [
  // They replace a module, or the timers.
  'base/deadline',
  'lookup/ports-by-name',
  'sessions/resumption',
  // They count what their process holds.
  'dial/aborts',
  'dial/several-addresses',
  'testing/faulty-proxy',
  'testing/recording-peer',
  'transfer/save-to-exit',
  'wire/resource-leaks',
  'reconnect/resource-leaks',
  // They listen to all sockets of their process, or to its warnings.
  'capture/capture',
  'diagnostics/*',
  'reconnect/writes',
  'registry/snapshot',
  'socket/channels',
  'socket/close',
  'socket/failing',
  'socket/write-to',
  'socket/writes',
].map((name) => `**/test/${name}.test.ts`);

/**
 * The files of a project share a process, for a new one would load modules longer than most files run. Those of the few
 * long properties do not.
 * @param include What may be `isolated`, whose files do not.
 */
const project = (name: string, include: string | string[], testTimeout = 20_000) => ({
  resolve: { alias },
  test: {
    name,
    include: [include].flat(),
    exclude: include === isolated ? configDefaults.exclude : [...configDefaults.exclude, ...isolated],
    isolate: include === isolated || name === 'properties',
    testTimeout,
    expect: { poll: { interval: 10, timeout: 15_000 } },
  },
});

// A property over real sockets takes a few milliseconds per run.
const propertyTimeout = 60_000 + 100 * Number(process.env.RXSOCK_RUNS ?? 0);

export default defineConfig({
  test: {
    reporters: ['default', missingProgramsReporter],
    globalSetup: new URL('scripts/bundle-before-tests.mjs', import.meta.url).pathname,
    // Most tests wait for other processes and for timers, so that one worker would leave a core idle.
    maxWorkers: '100%',
    projects: [
      ...['core', 'tls', 'unix', 'udp', 'inspector'].map((name) => project(name, `packages/${name}/test/**/*.test.ts`)),
      project('isolated', isolated),
      project('compliance', 'tests/compliance/**/*.test.ts'),
      project('behaviours', 'tests/behaviours/**/*.test.ts'),
      project('interop', 'tests/interop/**/*.test.ts'),
      project('neighbours', 'tests/neighbours/**/*.test.ts'),
      project('predecessors', 'tests/predecessors/**/*.test.ts'),
      project('runtimes', 'tests/runtimes/*.test.ts', 60_000),
      project('security', 'tests/security/**/*.test.ts'),
      project('properties', 'tests/properties/**/*.test.ts', propertyTimeout),
      project('fuzz', 'tests/fuzz/**/*.test.ts', 60_000),
      project('packed', 'tests/packed/**/*.test.ts', 60_000),
      project('structure', 'tests/structure/**/*.test.ts', 120_000),
      project('exports', 'tests/exports/**/*.test.ts', 60_000),
      project('options', 'tests/options/**/*.test.ts'),
      project('docs', 'tests/docs/**/*.test.ts'),
      project('soak', 'tests/soak/**/*.test.ts', 120_000),
      project('bench', 'tests/bench/**/*.test.ts', 120_000),
      project('examples', 'tests/examples/**/*.test.ts'),
    ],
  },
});
