// npm run fuzz -- [target …] [--runs 1000000]: bundles each target, and runs jsfuzz on it, guided by coverage.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { targets } from './targets/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '1000000' } },
});
const runs = Number(values.runs);
if (!Number.isSafeInteger(runs) || runs < 1)
  throw new RangeError(`--runs must be an integer from 1, not ${values.runs}`);
const names = positionals.length > 0 ? positionals : Object.keys(targets);
const unknown = names.filter((name) => !Object.hasOwn(targets, name));
if (unknown.length > 0) throw new RangeError(`no target ${unknown}: there are ${Object.keys(targets).join(', ')}`);

/** jsfuzz makes its inputs longer and longer. Long ones take time, and find nothing that short ones do not. */
const MAX_LENGTH = 1024;

const room = fileURLToPath(new URL('..', import.meta.url));
const jsfuzz = createRequire(import.meta.url).resolve('jsfuzz/build/src/index.js');

for (const name of names) {
  const folder = `${room}dist/run/${name}`;
  // A run begins with the corpus alone. jsfuzz adds what it finds to the first folder. What is worth keeping is copied to the corpus by hand.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(`${folder}/found`, { recursive: true });
  mkdirSync(`${room}corpus/${name}`, { recursive: true });
  cpSync(`${room}corpus/${name}`, `${folder}/found`, { recursive: true });
  await bundle(name, `${folder}/target.cjs`);
  console.log(`\n${name}: ${runs} inputs`);
  const args = [jsfuzz, 'target.cjs', 'found', '--exactArtifactPath', 'crash', '--timeout', '120', '--no-versifier'];
  const { status } = spawnSync(process.execPath, args, { cwd: folder, stdio: 'inherit' });
  if (status !== 0) {
    console.error(`${name}: the input is in ${folder}/crash`);
    process.exitCode = 1;
  }
}

/**
 * jsfuzz loads a CommonJS file with a function `fuzz`. It instruments all of it with an old parser, so the bundle has
 * no newer syntax. jsfuzz has no end of its own: the process that runs the target ends after the last input.
 */
async function bundle(name: string, outfile: string): Promise<void> {
  const exported = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  // Only the file of the target: what is not bundled need not be instrumented.
  const file = ['proxy-header', 'pcapng', 'udp-request', 'tls-entry'].includes(name) ? name : 'framing';
  const contents = `
    import { ${exported} as target } from './targets/${file}.js';
    let left = ${runs};
    export async function fuzz(input) {
      await target.fuzz(input.subarray(0, ${MAX_LENGTH}));
      if (--left === 0) {
        console.log('done: every input passed');
        process.exit(0);
      }
    }`;
  await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'es2018',
    logLevel: 'error',
  });
}
