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

const scores = [];
for (const room of positionals.length > 0 ? positionals : Object.keys(rooms)) {
  // tests/mutation/vitest.config.mjs reads it.
  process.env.RXSOCK_ROOM = room;
  const mutants = await mutantsOf(room);
  for (const mutant of mutants.filter(survived)) console.log(`\n${describe(mutant)}`);
  scores.push([room, scoreOf(mutants)]);
}
rmSync('tests/mutation/dist/sandboxes', { recursive: true, force: true });
console.table(Object.fromEntries(scores));

/** All mutants of a room. The quick tests kill most of them; the others meet the thorough tests. */
async function mutantsOf(room) {
  const mutants = await run('quick', [`packages/core/src/${room}/${values.file}.ts`]);
  const survivors = mutants.filter(survived);
  if (survivors.length === 0) return mutants;
  // A place has several mutants, so that some of the killed ones run again: their first result counts.
  const again = new Map((await run('thorough', survivors.map(placeOf))).map((mutant) => [keyOf(mutant), mutant]));
  return mutants.map((mutant) => (survived(mutant) && again.get(keyOf(mutant))) || mutant);
}

function run(pass, mutate) {
  // tests/mutation/vitest.config.mjs reads it.
  process.env.RXSOCK_PASS = pass;
  return new Stryker({
    mutate,
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
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
  }).runMutationTest();
}

/** A mutant that no test runs has survived. One that makes tests hang is killed. */
function survived({ status }) {
  return status === 'Survived' || status === 'NoCoverage';
}

/** The place of a mutant as an entry of `mutate`, whose columns count from 0. */
function placeOf({ fileName, location: { start, end } }) {
  return `${fileName}:${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`;
}

function keyOf({ fileName, location, mutatorName, replacement }) {
  return JSON.stringify([fileName, location, mutatorName, replacement]);
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
