// Every scenario of `npm run soak` runs small, and finds nothing wrong.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { run } from '../support/program.js';

const main = fileURLToPath(new URL('../../soak/dist/main.js', import.meta.url));
if (!existsSync(main)) throw new Error(`${main} is missing: run "npm run build" first`);

const soak = (...args: string[]) =>
  run(process.execPath, ['--expose-gc', '--disable-warning=ExperimentalWarning', main, ...args]);

test.each([
  ['hold', '0.002', /tcp client did: echoes 420\b/],
  ['cycles', '0.001', /unix server did: unix server connections 100\b/],
  ['relay', '0.00002', /client did: .*whole answers/],
  ['reconnect', '0.02', /client and server did: connections/],
  ['budget', '0.02', /server did: .*kB charged at most (9\d\d|1,0\d\d)\b/],
])('the scenario %s breaks no invariant at scale %s', async (name, scale, done) => {
  const { stdout, stderr, exited } = await soak(name, '--scale', scale, '--seed', '1');

  expect(stdout).toMatch(done);
  expect(stdout).not.toContain('BROKEN');
  expect(stdout).toMatch(/PASSED\n$/);
  expect({ stderr, code: await exited }).toEqual({ stderr: '', code: 0 });
});

test('a scenario that needs more descriptors than a process may open says what to raise', async () => {
  const { stderr, exited } = await soak('hold', '--scale', '1000000');

  expect(stderr).toMatch(/^\d+ connections need \d+ descriptors in the server, .*raise the hard limit/);
  expect(await exited).toBe(1);
});
