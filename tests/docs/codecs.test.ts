// The codecs of the tutorial keep the rules of codecs: each of its programs ends with verifyCodec().
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root, type Snippet, snippetsOf } from '../support/snippets.js';

let folder: string;
let programs: Snippet[];

beforeAll(async () => {
  await mkdir(join(root, 'tests', 'docs', 'dist'), { recursive: true });
  folder = await mkdtemp(join(root, 'tests', 'docs', 'dist', 'codecs-'));
  programs = await snippetsOf('docs/codecs.md', 'ts');
});
afterAll(() => rm(folder, { recursive: true }));

test.each(['postgresCodec', 'mqttCodec', 'respCodec'])('%s', async (name) => {
  const program = programs.find(({ code }) => code.includes(`verifyCodec(${name}, `));
  expect(program).toBeDefined();
  const file = join(folder, `${name}.ts`);
  await writeFile(file, program!.code);
  await import(file);
});
