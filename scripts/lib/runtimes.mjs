// The runtimes that the packages run on. npx downloads them.
import { spawnSync } from 'node:child_process';

/**
 * Each runtime by its short name: its package on npm, how it runs a program, and how it prints its executable. A version
 * of Node in full is a name too.
 */
const RUNTIMES = {
  20: node('20.19.6'),
  22: node('22.23.3'),
  24: node('24.21.0'),
  26: node('26.10.0'),
  bun: { title: 'Bun 1.4.5', package: 'bun@1.4.5', run: [], print: ['bun', '-p', 'process.execPath'] },
  deno: {
    title: 'Deno 2.9.6',
    package: 'deno@2.9.6',
    run: ['run', '--allow-all', '--quiet'],
    print: ['deno', 'eval', '--quiet', 'console.log(Deno.execPath())'],
  },
};

function node(version) {
  return { title: `Node ${version}`, package: `node@${version}`, run: [], print: ['node', '-p', 'process.execPath'] };
}

/** The names of the versions of Node. */
export const nodes = Object.keys(RUNTIMES).filter((name) => RUNTIMES[name].package.startsWith('node@'));
export const runtimeNames = [...nodes, 'bun', 'deno'];

/** Downloads a runtime. Returns its name with its version, and the command that runs a program. */
export function download(name) {
  const { title, package: wanted, run, print } = RUNTIMES[name] ?? node(name);
  const stdio = ['ignore', 'pipe', 'inherit'];
  const { status, stdout } = spawnSync('npx', ['--yes', '--package', wanted, ...print], { stdio, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npx could not run ${wanted}`);
  const executable = stdout.trim();
  const version = spawnSync(executable, ['--version'], { encoding: 'utf8' }).stdout;
  if (!version.includes(wanted.split('@')[1])) throw new Error(`npx ran ${version.trim()}, not ${wanted}`);
  return { name, title, executable, command: [executable, ...run] };
}
