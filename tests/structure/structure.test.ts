// `npm run structure` passes for this repository, and finds what it is there for. Every violation is planted in a copy.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../support/snippets.js';

/** Runs the check over a folder. It has passed if the exit code is 0. */
function check(folder: string): Promise<{ exitCode: number; problems: string[]; summary: string }> {
  return new Promise((resolve) => {
    const script = join(root, 'scripts', 'structure.mjs');
    execFile(process.execPath, [script, folder], { maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      const exitCode = error ? Number(error.code) : 0;
      resolve({ exitCode, problems: stderr.split('\n').filter(Boolean), summary: stdout.trim() });
    });
  });
}

let copy: string;

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'rxsock-structure-'));
  const isSource = (path: string) => !/(^|\/)(node_modules|dist)$/.test(relative(root, path));
  await cp(join(root, 'packages'), join(copy, 'packages'), { recursive: true, filter: isSource });
  await cp(join(root, 'structure.cjs'), join(copy, 'structure.cjs'));
}, 60_000);
afterAll(() => rm(copy, { recursive: true }));

const core = 'packages/core/src';

/** A file that is planted, its one import, and the problem that the check must report. */
const planted: { importer: string; imports: string; problem: string }[] = [
  {
    importer: `${core}/engine/planted.ts`,
    imports: '../operators/data.js',
    problem: `engine imports only lower layers: ${core}/engine/planted.ts → ${core}/operators/data.ts`,
  },
  {
    importer: `${core}/framing/planted.ts`,
    imports: '../flow/flow.js',
    problem: `framing imports only lower layers: ${core}/framing/planted.ts → ${core}/flow/flow.ts`,
  },
  {
    importer: `${core}/reconnect/planted.ts`,
    imports: '../pool/connection-pool.js',
    problem: `reconnect imports only lower layers: ${core}/reconnect/planted.ts → ${core}/pool/connection-pool.ts`,
  },
  {
    importer: `${core}/attic/planted.ts`,
    imports: '../base/errors.js',
    problem: `every file of core lies in a room: ${core}/attic/planted.ts → ${core}/base/errors.ts`,
  },
  {
    importer: `${core}/process/planted.ts`,
    imports: '../lookup/index.js',
    problem: `no source imports an entry point: ${core}/process/planted.ts → ${core}/lookup/index.ts`,
  },
  {
    importer: `${core}/testing/planted.ts`,
    imports: 'fast-check',
    problem: `only the room fast-check imports fast-check: ${core}/testing/planted.ts → fast-check`,
  },
  {
    importer: 'packages/tls/src/planted.ts',
    imports: '../../core/src/engine/connection.js',
    problem:
      'sibling packages import core by its entry points, and no other package: ' +
      `packages/tls/src/planted.ts → ${core}/engine/connection.ts`,
  },
  {
    importer: 'packages/unix/src/planted.ts',
    imports: '../../tls/src/connect.js',
    problem:
      'sibling packages import core by its entry points, and no other package: ' +
      'packages/unix/src/planted.ts → packages/tls/src/connect.ts',
  },
  {
    importer: 'packages/inspector/page/planted.ts',
    imports: '../src/gate.js',
    problem:
      'the page of the inspector imports nothing that a browser does not have, apart from types: ' +
      'packages/inspector/page/planted.ts → packages/inspector/src/gate.ts',
  },
  {
    importer: 'packages/udp/src/planted.ts',
    imports: '../test/planted.js',
    problem: 'sources do not import tests: packages/udp/src/planted.ts → packages/udp/test/planted.ts',
  },
  {
    importer: 'packages/tls/test/planted.test.ts',
    imports: '../../udp/test/planted.js',
    problem:
      'only the tests of a package import its test folder: ' +
      'packages/tls/test/planted.test.ts → packages/udp/test/planted.ts',
  },
  {
    importer: 'examples/planted.ts',
    imports: '../packages/udp/test/planted.js',
    problem:
      'nothing outside the packages imports their test folders: examples/planted.ts → packages/udp/test/planted.ts',
  },
];

test('the repository keeps its rules', async () => {
  expect(await check(root)).toEqual({
    exitCode: 0,
    problems: [],
    summary: expect.stringMatching(/^\d{3,} files, \d{4,} imports, 0 problems$/),
  });
});

test('every kind of violation is reported', async () => {
  const [one, other] = [`${core}/base/planted-one.ts`, `${core}/base/planted-other.ts`];
  await writeFile(join(copy, one), "export type { Other } from './planted-other.js';\nexport type One = 1;\n");
  await writeFile(join(copy, other), "import type { One } from './planted-one.js';\nexport type Other = One;\n");
  await writeFile(join(copy, 'packages', 'udp', 'test', 'planted.ts'), 'export {};\n');
  await mkdir(join(copy, core, 'attic'));
  await mkdir(join(copy, 'examples'));
  for (const { importer, imports } of planted) await writeFile(join(copy, importer), `import '${imports}';\n`);

  const { exitCode, problems } = await check(copy);
  const expected = [`no circle of files: ${one} → ${other} → ${one}`, ...planted.map(({ problem }) => problem)];
  expect(problems).toEqual(expect.arrayContaining(expected));
  expect(exitCode).toBe(1);
});

test('a run that finds too few files fails', async () => {
  const folder = await mkdtemp(join(copy, 'few-'));
  await cp(join(root, 'structure.cjs'), join(folder, 'structure.cjs'));
  await mkdir(join(folder, 'packages'));
  await writeFile(join(folder, 'packages', 'only.ts'), 'export {};\n');
  const { exitCode, problems } = await check(folder);
  expect(problems).toEqual(['Found only 1 files, expected at least 150']);
  expect(exitCode).toBe(1);
});
