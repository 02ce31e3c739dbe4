// Plants faults in the rooms of core and shows which of them no test notices:
// npm run mutate -- [room …] [--file pattern] [--concurrency 1]
import { rmSync } from 'node:fs';
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
process.env.RXSOCK_RUNS ??= '20';

const scores = [];
for (const room of positionals.length > 0 ? positionals : Object.keys(rooms)) {
  // tests/mutation/vitest.config.mjs reads it.
  process.env.RXSOCK_ROOM = room;
  const mutants = await new Stryker(optionsFor(room)).runMutationTest();
  scores.push(scoreOf(room, mutants));
}
rmSync('tests/mutation/dist/sandboxes', { recursive: true, force: true });
console.table(Object.fromEntries(scores));

function optionsFor(room) {
  return {
    mutate: [`packages/core/src/${room}/${values.file}.ts`],
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'tests/mutation/vitest.config.mjs', related: false },
    concurrency: Number(values.concurrency),
    // Mutants of code that runs only when a module is loaded would need a new thread each.
    ignoreStatic: true,
    // Stryker reads it with the API of TypeScript, which TypeScript 7 lacks. It skips a file that does not exist.
    tsconfigFile: 'none.json',
    timeoutMS: 10_000,
    tempDirName: 'tests/mutation/dist/sandboxes',
    ignorePatterns: ['tests/mutation/dist', 'bench', 'docs', 'examples'],
    reporters: ['clear-text', 'progress-append-only'],
    clearTextReporter: { allowColor: false, allowEmojis: false, reportTests: false, reportScoreTable: false },
    allowEmpty: true,
  };
}

/** The name of a room and its row. A mutant that no test runs has survived. One that makes tests hang is killed. */
function scoreOf(room, mutants) {
  const count = (...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;
  const killed = count('Killed', 'Timeout');
  const survived = count('Survived', 'NoCoverage');
  const score = `${((100 * killed) / (killed + survived)).toFixed(1)} %`;
  return [
    room,
    { mutants: killed + survived, killed, survived, score, 'left out': mutants.length - killed - survived },
  ];
}
