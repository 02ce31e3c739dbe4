// What a user installs: each package packed as it is published, alone with RxJS in an empty project.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../support/snippets.js';

const run = promisify(execFile);
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');

/** What each is imported for, and what it needs beside RxJS. */
const packages = {
  core: { verbs: ['connect', 'listen'], needs: [] },
  tls: { verbs: ['connect', 'listen', 'upgrade'], needs: ['core'] },
  unix: { verbs: ['connect', 'listen'], needs: ['core'] },
  udp: { verbs: ['bind', 'connect'], needs: ['core'] },
} as const;
type Name = keyof typeof packages;
const names = Object.keys(packages) as Name[];

let folder: string;

/** Where a package lies, once it is packed and unpacked. */
const unpacked = (name: Name) => join(folder, name, 'package');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rxsock-packed-'));
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { scripts: { setup: string } };
  const [pnpm] = /pnpm@[\d.]+/.exec(scripts.setup)!;
  for (const name of names) {
    const to = join(folder, name);
    await mkdir(to);
    await run('npx', ['--yes', pnpm, 'pack', '--pack-destination', to], { cwd: join(root, 'packages', name) });
    const [tarball] = await readdir(to);
    await run('tar', ['xzf', tarball!], { cwd: to });
  }
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

/** A project that has installed one package: that, what it depends on, RxJS, and the types of Node. */
async function projectWith(name: Name): Promise<string> {
  const project = await mkdtemp(join(folder, 'project-'));
  const modules = join(project, 'node_modules');
  await mkdir(join(modules, '@rxsock'), { recursive: true });
  await mkdir(join(modules, '@types'));
  for (const each of [name, ...packages[name].needs]) {
    await cp(unpacked(each), join(modules, '@rxsock', each), { recursive: true });
  }
  const { dependencies = {} } = JSON.parse(await readFile(join(unpacked('core'), 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  const installed = join(root, 'packages', 'core', 'node_modules');
  for (const each of ['rxjs', ...Object.keys(dependencies)]) await symlink(join(installed, each), join(modules, each));
  await symlink(join(root, 'node_modules', '@types', 'node'), join(modules, '@types', 'node'));
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  return project;
}

describe.each(names)('@rxsock/%s', (name) => {
  const { verbs } = packages[name];

  test('is imported in a project that has installed only it and RxJS', async () => {
    const project = await projectWith(name);
    const program = `import { ${verbs.join(', ')} } from '@rxsock/${name}';\nconsole.log(${verbs.map((verb) => `typeof ${verb}`)});\n`;
    await writeFile(join(project, 'main.mjs'), program);
    const { stdout, stderr } = await run(process.execPath, ['main.mjs'], { cwd: project });
    expect({ stdout, stderr }).toEqual({ stdout: `${verbs.map(() => 'function').join(' ')}\n`, stderr: '' });
  });

  test('has types that a strict project compiles with', async () => {
    const project = await projectWith(name);
    const program = `import { ${verbs.join(', ')} } from '@rxsock/${name}';\nexport const verbs = [${verbs.join(', ')}];\n`;
    await writeFile(join(project, 'main.ts'), program);
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
    const { stdout } = await run(process.execPath, [tsc, ...options, 'main.ts'], { cwd: project }).catch(
      (failed: { stdout: string }) => failed,
    );
    expect(stdout).toBe('');
  });

  test('is packed as publint wants it, with its README and its licence', async () => {
    const pkgDir = unpacked(name);
    const { messages, pkg } = await publint({ pkgDir, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg!))).toEqual([]);
    expect(await readdir(pkgDir)).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'dist', 'package.json', 'src']),
    );
  });
});
