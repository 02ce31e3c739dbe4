// What `npm run runtimes` needs to be trusted: here on this Node, with the pair in memory and with planted faults.
import { expect, onTestFinished, test } from 'vitest';
import { bundleTests } from '../../scripts/lib/bundle-tests.mjs';
import { runTests } from '../../scripts/lib/run-tests.mjs';

async function run(file: string, silence?: number) {
  const { runner, bundles, remove } = await bundleTests([file]);
  onTestFinished(remove);
  return await runTests([process.execPath], runner, bundles.get(file), {}, silence);
}

test('the behaviours of a transport hold without vitest', async () => {
  const tests = await run('tests/compliance/pair.test.ts');
  expect(tests.length).toBeGreaterThan(100);
  expect(tests.filter(({ failure }) => failure)).toEqual([]);
}, 60_000);

test('every fault is reported, and the tests after it run', async () => {
  const tests = await run('tests/runtimes/planted/faults.ts', 3_000);
  expect(tests.map(({ name, failure }) => [name, failure?.split('\n')[0]?.trim()])).toEqual([
    ['a group > passes', undefined],
    ['a group > ran the hooks of the test before: case', undefined],
    ['a group > ran the hooks of the test before: other case', undefined],
    ['fails', 'expected 1 to be 2 // Object.is equality'],
    ['never ends', 'did not end within 0.05 s'],
    ['loses an error', 'lost'],
    ['polls', undefined],
    ['ends the process', 'the process ended (3)'],
    ['blocks the process', 'the process hung'],
    ['runs after all that', undefined],
  ]);
}, 30_000);
