// Each package as a user installs it: packed as it is published, alone with RxJS in an empty project.
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

/** The entry points of each package with some of their functions, and the packages it needs beside RxJS. */
const packages = {
  core: {
    entries: {
      '.': ['connect', 'listen'],
      './internal': ['connectOver', 'serverOver'],
      './registry': ['SocketRegistry', 'snapshot'],
      './lookup': ['resolveHost', 'reverseLookup', 'servicePort', 'isPortFree', 'localAddresses'],
      './process': ['handOver', 'inheritedListeners', 'singleInstance'],
      './proxy': ['socks5', 'httpConnect'],
      './diagnostics': ['channel'],
      './testing': ['faultyProxy', 'recordingClient', 'recordingPeer', 'socketPair'],
    },
    needs: [],
  },
  tls: { entries: { '.': ['connect', 'listen', 'upgrade'] }, needs: ['core'] },
  unix: { entries: { '.': ['connect', 'listen'] }, needs: ['core'] },
  udp: { entries: { '.': ['bind', 'connect'] }, needs: ['core'] },
} as const;
/** Core's entry point that needs fast-check as well. */
const fastCheck = { './fast-check': ['chunkings', 'delimiterRichBytes', 'verifyCodec'] };
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

/** A program that imports entry points of a package, and keeps the functions in the array `imported`. */
function programOf(name: Name, entries: Readonly<Record<string, readonly string[]>>): string {
  const specifiers = Object.keys(entries).map((entry) => join(`@rxsock/${name}`, entry));
  const imports = specifiers.map((specifier, index) => `import * as entry${index} from '${specifier}';\n`);
  const imported = Object.values(entries).flatMap((functions, index) =>
    functions.map((each) => `entry${index}.${each}`),
  );
  return `${imports.join('')}export const imported = [${imported.join(', ')}];\n`;
}

/** A project that has installed one package, the packages that it needs, RxJS, the types of Node, and some more. */
async function projectWith(name: Name, ...more: string[]): Promise<string> {
  const project = await mkdtemp(join(folder, 'project-'));
  const modules = join(project, 'node_modules');
  await mkdir(join(modules, '@rxsock'), { recursive: true });
  await mkdir(join(modules, '@types'));
  for (const each of [name, ...packages[name].needs]) {
    await cp(unpacked(each), join(modules, '@rxsock', each), { recursive: true });
  }
  const installed = join(root, 'packages', 'core', 'node_modules');
  for (const each of ['rxjs', ...more]) await symlink(join(installed, each), join(modules, each));
  await symlink(join(root, 'node_modules', '@types', 'node'), join(modules, '@types', 'node'));
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  return project;
}

/** Runs a program and returns what it prints. */
async function runIn(project: string, program: string): Promise<{ stdout: string; stderr: string }> {
  await writeFile(join(project, 'main.mjs'), program);
  return await run(process.execPath, ['main.mjs'], { cwd: project });
}

/** Compiles a program as a strict project does, and returns the errors. */
async function compileIn(project: string, program: string): Promise<string> {
  await writeFile(join(project, 'main.ts'), program);
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
  const { stdout } = await run(process.execPath, [tsc, ...options, 'main.ts'], { cwd: project }).catch(
    (failed: { stdout: string }) => failed,
  );
  return stdout;
}

const print = 'console.log(imported.every((each) => typeof each === "function"));\n';

describe.each(names)('@rxsock/%s', (name) => {
  const { entries } = packages[name];

  test('is imported, by every entry point, in a project that has installed only it and RxJS', async () => {
    const project = await projectWith(name);
    expect(await runIn(project, programOf(name, entries) + print)).toEqual({ stdout: 'true\n', stderr: '' });
  });

  test('has types that a strict project compiles with', async () => {
    const project = await projectWith(name);
    expect(await compileIn(project, programOf(name, entries))).toBe('');
  });

  test('has no other entry points', async () => {
    const { exports } = JSON.parse(await readFile(join(unpacked(name), 'package.json'), 'utf8')) as {
      exports: Record<string, string>;
    };
    const known = { ...entries, ...(name === 'core' ? fastCheck : {}), './package.json': [] };
    expect(Object.keys(exports).sort()).toEqual(Object.keys(known).sort());
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

describe('@rxsock/core/fast-check', () => {
  const program = programOf('core', fastCheck);

  test('is imported, with its types, in a project that has installed fast-check as well', async () => {
    const project = await projectWith('core', 'fast-check');
    expect(await runIn(project, program + print)).toEqual({ stdout: 'true\n', stderr: '' });
    expect(await compileIn(project, program)).toBe('');
  });

  test('fails without fast-check, and the error names it', async () => {
    const project = await projectWith('core');
    await expect(runIn(project, program)).rejects.toThrow("Cannot find package 'fast-check'");
  });
});
