// Each package as a user installs it: packed as it is published, alone with RxJS in an empty project.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { rolldown } from 'rolldown';
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
      './diagnostics': ['channel', 'traceHolds'],
      './metrics': ['instrument'],
      './capture': ['capture'],
      './testing': ['faultyProxy', 'recordingClient', 'recordingPeer', 'replay', 'socketPair'],
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
    expect((await readdir(pkgDir)).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
  });

  test('has JavaScript that an entry point imports, declarations of sources, and nothing else', async () => {
    const dist = join(unpacked(name), 'dist');
    const used = new Set<string>();
    for (const condition of ['module', 'default'] as const) {
      for (const path of await importedFiles(name, condition)) used.add(relative(dist, path));
    }
    const sources = await readdir(join(root, 'packages', name, 'src'), { recursive: true });
    const declarations = sources.filter((file) => file.endsWith('.ts')).map((file) => file.replace(/ts$/, 'd.ts'));
    const packed = (await readdir(dist, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => relative(dist, join(entry.parentPath, entry.name)));
    expect(packed.sort()).toEqual([...used, ...declarations].sort());
  });
});

/** The files of a package that its entry points import, under one condition. */
async function importedFiles(name: Name, condition: 'module' | 'default'): Promise<string[]> {
  const { exports } = JSON.parse(await readFile(join(unpacked(name), 'package.json'), 'utf8')) as {
    exports: Record<string, string | Record<typeof condition, string>>;
  };
  const input = Object.values(exports).flatMap((target) => (typeof target === 'string' ? [] : target[condition]));
  const built = await rolldown({ input, cwd: unpacked(name), external: (id) => !/^[./]/.test(id), treeshake: false });
  const { output } = await built.generate({ preserveModules: true });
  await built.close();
  return output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
}

describe('the two builds of a package', () => {
  test('Node takes the bundle: a file for each entry point, and one that they share', async () => {
    const project = await projectWith('core');
    const { stdout } = await runIn(project, "console.log(import.meta.resolve('@rxsock/core'));");
    expect(stdout).toMatch(/core\/dist\/bundle\/index\.js\n$/);
    const entries = Object.keys({ ...packages.core.entries, ...fastCheck });
    const files = entries.map((entry) => (entry === '.' ? 'index.js' : `${entry.slice(2)}.js`));
    expect((await readdir(join(unpacked('core'), 'dist', 'bundle'))).sort()).toEqual([...files, 'shared.js'].sort());
  });

  test('a bundler takes the files that a program uses, and no others', async () => {
    const project = await projectWith('core');
    const main = join(project, 'main.mjs');
    await writeFile(main, "import { lines } from '@rxsock/core';\nconsole.log(lines);\n");
    const built = await rolldown({ input: main, external: 'rxjs', platform: 'node' });
    const { output } = await built.generate({ minify: true });
    await built.close();
    const ids = output[0].moduleIds.map((id) => relative(project, id));
    expect(ids).toContain('node_modules/@rxsock/core/dist/framing/line-decoder.js');
    expect(ids.filter((id) => /bundle|connection|socket|transfer/.test(id))).toEqual([]);
    expect(output[0].code.length).toBeLessThan(25_000);
  });

  test('a class is one and the same for all entry points and packages, and keeps its name', async () => {
    const project = await projectWith('unix');
    const program = `
      import * as core from '@rxsock/core';
      import { ForeignListenerError } from '@rxsock/core/process';
      import { socketPair } from '@rxsock/core/testing';
      import { connect } from '@rxsock/unix';
      const isClass = (value) => typeof value === 'function' && /^class\\b/.test(value);
      console.log(JSON.stringify([
        socketPair()[0] instanceof core.Socket,
        connect({ path: '/none' }) instanceof core.Socket,
        ForeignListenerError.prototype instanceof core.SocketError,
        Object.entries(core).filter(([name, value]) => isClass(value) && value.name !== name),
      ]));`;
    const { stdout } = await runIn(project, program);
    expect(JSON.parse(stdout)).toEqual([true, true, true, []]);
  });

  test('a stack trace names the functions, and leads to lines that can be read', async () => {
    const project = await projectWith('core');
    const program = `
      import { connect } from '@rxsock/core';
      try { connect({ port: -1 }); } catch ({ stack }) { console.log(stack); }`;
    const { stdout } = await runIn(project, program);
    const [, path, line] = /at connect \(file:\/\/(.*bundle.*):(\d+):\d+\)/.exec(stdout) ?? [];
    const text = (await readFile(path!, 'utf8')).split('\n')[Number(line) - 1]!;
    expect(text.trim().length).toBeGreaterThan(0);
    expect(text.length).toBeLessThan(120);
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
