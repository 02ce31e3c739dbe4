// Plants faults in the rooms of core and shows which of them no test notices:
// npm run mutate -- [room …] [--file pattern] [--concurrency 1]
import { readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { rooms } from './rooms.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { file: { type: 'string', default: '*' }, concurrency: { type: 'string', default: '2' } },
});
const unknown = positionals.filter((room) => !(room in rooms));
if (unknown.length > 0)
  throw new Error(`No room ${unknown.join(', ')}: the rooms are ${Object.keys(rooms).join(', ')}`);

// Each run tries the same few cases of each property, so that the same mutants survive.
process.env.RXSOCK_SEED ??= '11';
process.env.RXSOCK_RUNS ??= '10';

// tests/mutation/vitest.config.mjs reads RXSOCK_ROOM and RXSOCK_PASS, tests/mutation/survivors.mjs RXSOCK_SURVIVORS.
const options = {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner', './tests/mutation/survivors.mjs'],
  vitest: { configFile: 'tests/mutation/vitest.config.mjs', related: false },
  concurrency: Number(values.concurrency),
  // Mutants of code that runs only when a module is loaded would need a new thread each.
  ignoreStatic: true,
  // Stryker reads it with the API of TypeScript, which TypeScript 7 lacks. It skips a file that does not exist.
  tsconfigFile: 'none.json',
  // A mutant that loops for ever takes this long more than its tests, and another process.
  timeoutMS: 2_000,
  tempDirName: 'tests/mutation/dist/sandboxes',
  ignorePatterns: ['tests/mutation/dist', 'bench', 'docs', 'examples'],
  reporters: ['progress-append-only'],
  allowEmpty: true,
};

const scores = [];
for (const room of positionals.length > 0 ? positionals : Object.keys(rooms)) {
  process.env.RXSOCK_ROOM = room;
  const mutants = await mutantsOf(room);
  for (const mutant of mutants.filter(survived)) console.log(`\n${describe(mutant)}`);
  scores.push([room, scoreOf(mutants)]);
}
rmSync('tests/mutation/dist/sandboxes', { recursive: true, force: true });
console.table(Object.fromEntries(scores));

/** All mutants of a room. The quick tests kill most of them; the others meet the thorough tests. */
async function mutantsOf(room) {
  const mutate = [`packages/core/src/${room}/${values.file}.ts`];
  process.env.RXSOCK_PASS = 'quick';
  const mutants = await new Stryker({ ...options, mutate }).runMutationTest();
  const survivors = mutants.filter(survived).map(({ id }) => id);
  if (survivors.length === 0) return mutants;
  process.env.RXSOCK_PASS = 'thorough';
  process.env.RXSOCK_SURVIVORS = survivors.join();
  try {
    // The same mutants have the same ids.
    const second = await new Stryker({ ...options, mutate, checkers: ['survivors'] }).runMutationTest();
    const again = new Map(second.map((mutant) => [mutant.id, mutant]));
    return mutants.map((mutant) => (survived(mutant) ? again.get(mutant.id) : mutant));
  } catch (error) {
    // For example if a test has failed without any mutant, on a busy machine.
    console.error(`The thorough tests of ${room} did not run, so these are the figures of the quick ones: ${error}`);
    return mutants;
  }
}

/** A mutant that no test runs has survived. One that makes tests hang is killed. */
function survived({ status }) {
  return status === 'Survived' || status === 'NoCoverage';
}

/** Where a mutant is, and the lines that it changes: before and after. */
function describe({ fileName, location: { start, end }, replacement }) {
  const lines = readFileSync(fileName, 'utf8')
    .split('\n')
    .slice(start.line - 1, end.line);
  const mutated = lines[0].slice(0, start.column - 1) + replacement + lines.at(-1).slice(end.column - 1);
  const marked = [...lines.map((line) => `- ${line}`), ...mutated.split('\n').map((line) => `+ ${line}`)];
  return [`${relative('', fileName)}:${start.line}:${start.column}`, ...marked].join('\n');
}

function scoreOf(mutants) {
  const killed = mutants.filter(({ status }) => status === 'Killed' || status === 'Timeout').length;
  const survivors = mutants.filter(survived).length;
  const score = `${((100 * killed) / (killed + survivors)).toFixed(1)} %`;
  const total = killed + survivors;
  return { mutants: total, killed, survived: survivors, score, 'left out': mutants.length - total };
}
