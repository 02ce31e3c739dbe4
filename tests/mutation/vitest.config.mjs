// Runs tests near one room as one project: RXSOCK_ROOM names the room, RXSOCK_PASS says whether the quick or thorough ones.
import { defineConfig } from 'vitest/config';
import { alias } from '../../vitest.config.ts';
import { rooms, slow } from './rooms.mjs';

// A tool that looks for unused files loads this too, without a room.
const { quick, thorough } = rooms[process.env.RXSOCK_ROOM ?? 'framing'];

export default defineConfig({
  resolve: { alias },
  test: {
    root: new URL('../..', import.meta.url).pathname,
    ...(process.env.RXSOCK_PASS === 'thorough'
      ? { include: thorough }
      : { include: quick, exclude: [...slow, ...thorough] }),
    // Files share a thread and its modules: a new thread takes longer than most tests.
    isolate: false,
    // A mutant that loops for ever ends its process. The next one finds the modules compiled.
    experimental: { fsModuleCache: true },
    // A mutant that makes a test wait for ever fails it, long before Stryker would replace the process.
    testTimeout: 10_000,
    hookTimeout: 3_000,
    expect: { poll: { interval: 5, timeout: 2_000 } },
  },
});
