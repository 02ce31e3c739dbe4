// Checks the types of the packed packages as users meet them: npm run types -- [--typescript 7.0] [--node 20] [--with npm]
// Every TypeScript, with every way to resolve that it has, and the types of every Node, in projects that npm and pnpm
// have installed. Libraries are checked too. The whole takes minutes.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { packAll, pnpm, publishedPackages } from './lib/packages.mjs';

const run = promisify(execFile);

/** The releases of TypeScript. */
const RELEASES = { 5.5: '5.5.4', 5.9: '5.9.3', '6.0': '6.0.3', '7.0': '7.0.2' };
const NODES = ['20', '22', '24', '25', '26'];

/**
 * The ways to resolve. `from` and `to` limit the releases that have it. A file of CommonJS can import a package of ES
 * modules from TypeScript 5.8 on. Without the last two options node10 is what `tsc --module commonjs` does.
 */
const RESOLUTIONS = [
  { name: 'node10', file: 'node10.cts', args: ['--module', 'commonjs', '--moduleResolution', 'node10'], to: '6.0' },
  { name: 'node16', file: 'main.mts', args: ['--module', 'node16'] },
  { name: 'nodenext', file: 'main.mts', args: ['--module', 'nodenext'] },
  { name: 'nodenext, CommonJS', file: 'main.cts', args: ['--module', 'nodenext'], from: '5.9' },
  { name: 'bundler', file: 'main.mts', args: ['--module', 'esnext', '--moduleResolution', 'bundler'] },
];

/** The TypeScript that the types of Node need themselves. */
const NEEDED = { 26: '5.9' };

const INSTALLERS = {
  npm: ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts'],
  pnpm: ['npx', '--yes', pnpm, 'add', '--ignore-scripts'],
};

const { values: chosen } = parseArgs({
  options: {
    typescript: { type: 'string', multiple: true, default: Object.keys(RELEASES) },
    node: { type: 'string', multiple: true, default: NODES },
    with: { type: 'string', multiple: true, default: Object.keys(INSTALLERS) },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'rxsock-types-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

function newProject(name) {
  const project = join(folder, name);
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true }');
  return project;
}

/** A program that imports every entry point, and has a type inferred through a pipeline. */
function programOf(entries) {
  const imports = entries.map((entry, index) => `import * as entry${index} from '${entry}';\n`);
  const inferred = 'const lines: Observable<string> = tcp.connect({ port: 7 }).pipe(tcp.data(), tcp.lines());\n';
  const all = entries.map((_, index) => `entry${index}`).join(', ');
  return [
    "import type { Observable } from 'rxjs';\n",
    "import * as tcp from '@rxsock/core';\n",
    ...imports,
    inferred,
    `export const all = [lines, ${all}];\n`,
  ].join('');
}

/** A project that has installed the packed packages and what they need, with the types of one Node. */
async function install(installer, node, tarballs) {
  const project = newProject(`${installer}-${node}`);
  const [command, ...args] = INSTALLERS[installer];
  await run(command, [...args, ...tarballs, 'rxjs', 'fast-check', `@types/node@${node}`], { cwd: project });
  const entries = publishedPackages().flatMap((each) => each.entries.map(({ name }) => name));
  // The types of fast-check itself cannot be resolved in the old way.
  const old = entries.filter((entry) => !entry.endsWith('/fast-check'));
  for (const file of ['main.mts', 'main.cts']) writeFileSync(join(project, file), programOf(entries));
  writeFileSync(join(project, 'node10.cts'), programOf(old));
  return project;
}

/** Compiles. Returns the errors. */
async function compile(tsc, release, { file, args, to }, project) {
  const deprecated = to && release >= '6.0' ? ['--ignoreDeprecations', '6.0'] : [];
  const strict = ['--strict', '--noEmit', '--skipLibCheck', 'false', '--target', 'es2022', '--types', 'node'];
  const line = [tsc, ...strict, ...args, ...deprecated, file];
  return run(process.execPath, line, { cwd: project }).then(
    () => '',
    (error) => error.stdout || String(error),
  );
}

/** Runs tasks, as many at a time as there are cores. */
async function inParallel(tasks) {
  const rest = [...tasks];
  const work = async () => {
    for (let task = rest.shift(); task; task = rest.shift()) await task();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}

const tarballs = await packAll(folder);
const tools = newProject('typescript');
const aliases = chosen.typescript.map((release) => `typescript-${release}@npm:typescript@${RELEASES[release]}`);
await run('npm', ['install', '--no-audit', '--no-fund', ...aliases], { cwd: tools });

const errors = new Map();
const cells = [];
for (const installer of chosen.with) {
  for (const node of chosen.node) {
    const project = await install(installer, node, tarballs);
    for (const release of chosen.typescript) {
      if (release < (NEEDED[node] ?? '0')) continue;
      for (const resolution of RESOLUTIONS) {
        const { name, from = '0', to = '9' } = resolution;
        if (release < from || release > to) continue;
        const row = `${installer.padEnd(4)}  TypeScript ${release}  ${name}`;
        const tsc = join(tools, 'node_modules', `typescript-${release}`, 'bin', 'tsc');
        cells.push(async () => {
          const output = await compile(tsc, release, resolution, project);
          errors.set(row, { ...errors.get(row), [node]: output });
        });
      }
    }
  }
}
await inParallel(cells);

const rows = [...errors].sort(([a], [b]) => (a < b ? -1 : 1));
const width = Math.max(...rows.map(([row]) => row.length));
console.log(`${'@types/node'.padEnd(width)}  ${chosen.node.map((node) => node.padEnd(4)).join('  ')}`);
for (const [row, byNode] of rows) {
  const results = chosen.node.map((node) => (node in byNode ? (byNode[node] ? 'FAIL' : 'ok  ') : '–   '));
  console.log(`${row.padEnd(width)}  ${results.join('  ')}`);
}
const failures = rows.flatMap(([row, byNode]) =>
  Object.entries(byNode).flatMap(([node, output]) => (output ? [`\n${row}, @types/node ${node}\n${output}`] : [])),
);
for (const failure of failures) console.error(failure);
console.log(`${cells.length} programs compiled, ${failures.length} failed`);
process.exitCode = failures.length && 1;
