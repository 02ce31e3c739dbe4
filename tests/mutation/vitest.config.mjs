// Runs the tests near one room, which RXSOCK_ROOM names, as one project.
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import { alias } from '../../vitest.config.ts';
import { rooms, slow } from './rooms.mjs';

/** Runs what takes long last: most mutants fail an example before, and no further test runs then. */
class ExamplesFirst extends BaseSequencer {
  async sort(files) {
    const weight = ({ moduleId }) => ['memory.test', '/properties/'].findIndex((part) => moduleId.includes(part));
    return files.toSorted((a, b) => weight(a) - weight(b));
  }
}

export default defineConfig({
  resolve: { alias },
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: rooms[process.env.RXSOCK_ROOM],
    exclude: ['**/node_modules/**', ...slow],
    // Files share a thread and its modules: a new thread takes longer than most tests.
    isolate: false,
    sequence: { sequencer: ExamplesFirst },
    // A mutant that makes a test wait for ever fails it, long before Stryker would replace the process.
    testTimeout: 15_000,
    expect: { poll: { interval: 5, timeout: 4_000 } },
  },
});
