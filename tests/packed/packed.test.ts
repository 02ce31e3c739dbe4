// Each package as a user installs it: packed as it is published, alone with what it needs, in an empty project.
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
import { type PublishedPackage, packAll, publishedPackages } from '../../scripts/lib/packages.mjs';
import { root } from '../support/snippets.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const compiler = (name: string) => join(dirname(require.resolve(`${name}/package.json`)), 'bin', 'tsc');

const packages = publishedPackages();
/** Is only for `node --import`: it starts a server. */
const register = '@rxsock/inspector/register';
/** The entry points that need no optional peer dependency. An entry point that needs one has its name. */
const plainEntries = ({ entries, manifest }: PublishedPackage) =>
  entries
    .map(({ name }) => name)
    .filter((entry) => entry !== register && !(entry.split('/').at(-1)! in (manifest.peerDependenciesMeta ?? {})));
const [core, unix] = ['core', 'unix'].map((name) => packages.find(({ folder }) => folder.endsWith(name))!) as [
  PublishedPackage,
  PublishedPackage,
];
/** The page of the inspector, with the licence of what it contains. */
const PAGE = ['index.html', 'main.js', 'style.css', 'uPlot.LICENSE', 'uPlot.min.css'].map((file) => `page/${file}`);

let folder: string;
/** The names that each entry point exports, according to exports.md. */
let names: ReadonlyMap<string, readonly string[]>;

/** Where a package lies, once it is packed and unpacked. */
const unpacked = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rxsock-packed-'));
  for (const [index, tarball] of (await packAll(folder)).entries()) {
    const to = unpacked(packages[index]!.manifest.name);
    await mkdir(to, { recursive: true });
    await run('tar', ['xzf', tarball, '--strip-components=1', '-C', to]);
  }
  const lists = await readFile(join(root, 'tests', 'exports', 'exports.md'), 'utf8');
  const sections = lists.matchAll(/^## (\S+)\n+```\n\d+ values\n(.*?)\n\n/gms);
  names = new Map(
    [...sections].map(([, entry, lines]) => [entry!, lines!.split('\n').map((line) => line.split(' ')[1]!)]),
  );
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

/** A program that imports entry points, and exports an object with all of them. */
function programOf(entries: readonly string[]): string {
  const imports = entries.map((entry, index) => `import * as entry${index} from '${entry}';\n`);
  return `${imports.join('')}export const imported = { ${entries.map((entry, i) => `'${entry}': entry${i}`).join(', ')} };\n`;
}

/** The same as CommonJS. */
function commonJsOf(entries: readonly string[]): string {
  return `const imported = { ${entries.map((entry) => `'${entry}': require('${entry}')`).join(', ')} };\n`;
}

/** A project that has installed some packages, the packages that they need, the types of Node, and some more. */
async function projectWith(published: readonly PublishedPackage[], ...more: string[]): Promise<string> {
  const project = await mkdtemp(join(folder, 'project-'));
  const modules = join(project, 'node_modules');
  await mkdir(join(modules, '@rxsock'), { recursive: true });
  await mkdir(join(modules, '@types'));
  const needs = published.flatMap(({ manifest }) => [manifest.name, ...Object.keys(manifest.peerDependencies)]);
  for (const name of new Set(needs.filter((each) => each.startsWith('@rxsock/')))) {
    await cp(unpacked(name), join(modules, name), { recursive: true });
  }
  const installed = join(core.folder, 'node_modules');
  for (const each of ['rxjs', ...more]) await symlink(join(installed, each), join(modules, each));
  await symlink(join(root, 'node_modules', '@types', 'node'), join(modules, '@types', 'node'));
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  return project;
}

/** Runs a program and returns what it prints. */
async function runIn(project: string, program: string, file = 'main.mjs'): Promise<{ stdout: string; stderr: string }> {
  await writeFile(join(project, file), program);
  return await run(process.execPath, [file], { cwd: project });
}

/** Compiles a program as a strict project does that checks its libraries too, and returns the errors. */
async function compileIn(
  project: string,
  program: string,
  file: string,
  tsc: string,
  ...args: string[]
): Promise<string> {
  await writeFile(join(project, file), program);
  const options = ['--strict', '--noEmit', '--target', 'es2022', '--types', 'node', ...args];
  const { stdout } = await run(process.execPath, [tsc, ...options, file], { cwd: project }).catch(
    (failed: { stdout: string }) => failed,
  );
  return stdout;
}

const print =
  'const lists = Object.entries(imported).map(([entry, names]) => [entry, Object.keys(names).sort()]);\n' +
  'console.log(JSON.stringify(Object.fromEntries(lists)));\n';

/** What a program prints that has imported these entry points: all their names, and no warning. */
const printed = (entries: readonly string[]) => ({
  stdout: `${JSON.stringify(Object.fromEntries(entries.map((entry) => [entry, names.get(entry)])))}\n`,
  stderr: '',
});

describe.each(packages.map((each) => [each.manifest.name, each] as const))('%s', (name, published) => {
  const entries = plainEntries(published);

  test('is imported, by every entry point, in a project that has installed only it and its peers', async () => {
    const project = await projectWith([published]);
    expect(await runIn(project, programOf(entries) + print)).toEqual(printed(entries));
  });

  test('is required from CommonJS, without a warning', async () => {
    const project = await projectWith([published]);
    expect(await runIn(project, commonJsOf(entries) + print, 'main.cjs')).toEqual(printed(entries));
  });

  test('has types that a strict project compiles with', async () => {
    const project = await projectWith([published]);
    const args = ['--module', 'nodenext'];
    expect(await compileIn(project, programOf(entries), 'main.mts', compiler('typescript'), ...args)).toBe('');
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
    const sources = await readdir(join(published.folder, 'src'), { recursive: true });
    const declarations = sources.filter((file) => file.endsWith('.ts')).map((file) => file.replace(/ts$/, 'd.ts'));
    const packed = (await readdir(dist, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => relative(dist, join(entry.parentPath, entry.name)));
    const page = name === '@rxsock/inspector' ? PAGE : [];
    expect(packed.sort()).toEqual([...used, ...declarations, ...page].sort());
  });
});

/** The files of a package that its entry points import, under one condition. */
async function importedFiles(name: string, condition: 'module' | 'default'): Promise<string[]> {
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
  test('Node takes the bundle: a few files', async () => {
    const project = await projectWith([core]);
    const { stdout } = await runIn(project, "console.log(import.meta.resolve('@rxsock/core'));");
    expect(stdout).toMatch(/core\/dist\/bundle\/index\.js\n$/);
    expect((await readdir(join(unpacked('@rxsock/core'), 'dist', 'bundle'))).length).toBeLessThan(
      core.entries.length + 3,
    );
  });

  test('a bundler takes the files that a program uses, and no others', async () => {
    const project = await projectWith([core]);
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
    const project = await projectWith([unix]);
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
    const project = await projectWith([core]);
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

// `npm run types` has every TypeScript with every resolution and the types of every Node.
test.each([
  ['from CommonJS', 'typescript', ['--module', 'nodenext']],
  [
    'in the old way',
    'typescript-6',
    ['--module', 'commonjs', '--moduleResolution', 'node10', '--ignoreDeprecations', '6.0'],
  ],
])('a strict project that imports the packages %s compiles', { timeout: 120_000 }, async (_, version, args) => {
  const project = await projectWith(packages);
  const program = programOf(packages.flatMap(plainEntries));
  expect(await compileIn(project, program, 'main.cts', compiler(version), ...args)).toBe('');
});

test('CommonJS and ES modules of one program share one copy', async () => {
  const project = await projectWith([core]);
  const program = "import { connect } from '@rxsock/core';\nimport { createRequire } from 'node:module';\n";
  const compare = "console.log(createRequire(import.meta.url)('@rxsock/core').connect === connect);\n";
  expect(await runIn(project, program + compare)).toEqual({ stdout: 'true\n', stderr: '' });
});

test('the manifests are up to date', async () => {
  const script = join(root, 'scripts', 'manifests.mjs');
  expect(await run(process.execPath, [script, '--check'])).toEqual({ stdout: '', stderr: '' });
});

describe('@rxsock/core/fast-check', () => {
  const entries = ['@rxsock/core/fast-check'];

  test('is imported, with its types, in a project that has installed fast-check as well', async () => {
    const project = await projectWith([core], 'fast-check');
    expect(await runIn(project, programOf(entries) + print)).toEqual(printed(entries));
    const args = ['--module', 'nodenext'];
    expect(await compileIn(project, programOf(entries), 'main.mts', compiler('typescript'), ...args)).toBe('');
  });

  test('fails without fast-check, and the error names it', async () => {
    const project = await projectWith([core]);
    await expect(runIn(project, programOf(entries))).rejects.toThrow("Cannot find package 'fast-check'");
  });
});
