// Every example in the TSDoc and in the Markdown compiles.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { filesOf, root, type Snippet, snippetsOf } from '../support/snippets.js';

const run = promisify(execFile);
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
let folder: string;

// Inside the workspace, so that the packages resolve as they do for a user.
beforeAll(async () => {
  await mkdir(join(root, 'tests', 'docs', 'dist'), { recursive: true });
  folder = await mkdtemp(join(root, 'tests', 'docs', 'dist', 'snippets-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('every example compiles', async () => {
  const snippets: Snippet[] = [];
  for (const file of await filesOf('packages/*/src/**/*.ts', 'packages/*/README.md', '*.md', 'docs/**/*.md')) {
    snippets.push(...(await snippetsOf(file, 'ts')));
  }
  expect(snippets.length).toBeGreaterThan(30);
  for (const [index, { file, line, code }] of snippets.entries()) {
    await writeFile(join(folder, `s${index}.ts`), `// ${file}:${line}\n${code}\nexport {};\n`);
  }
  const config = {
    extends: '../../../../tsconfig.base.json',
    compilerOptions: { composite: false, noEmit: true, noUnusedLocals: false, types: ['node'] },
    include: ['*.ts'],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const { stdout } = await run(process.execPath, [tsc, '-p', folder]).catch((failed: { stdout: string }) => failed);
  const where = stdout.replaceAll(/\S*\bs(\d+)\.ts/g, (_, index: string) => {
    const { file, line } = snippets[Number(index)]!;
    return `${file}:${line}`;
  });
  expect(where).toBe('');
});
