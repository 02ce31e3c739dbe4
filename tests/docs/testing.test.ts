// The programs of the guide to testing run, and their assertions hold.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root, type Snippet, snippetsOf } from '../support/snippets.js';

let folder: string;
let programs: Snippet[];

beforeAll(async () => {
  await mkdir(join(root, 'tests', 'docs', 'dist'), { recursive: true });
  folder = await mkdtemp(join(root, 'tests', 'docs', 'dist', 'testing-'));
  programs = await snippetsOf('docs/testing.md', 'ts');
});
afterAll(() => rm(folder, { recursive: true }));

test.each(['verifyCodec', 'socketPair', 'faultyProxy', 'recordingPeer', 'socketModel'])('%s', async (name) => {
  const program = programs.find(({ code }) => code.includes(`${name}(`));
  expect(program).toBeDefined();
  const file = join(folder, `${name}.ts`);
  await writeFile(file, program!.code);
  await import(file);
});
