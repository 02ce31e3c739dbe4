// Runs the tests on other lines of Node, fetched from npm: npm run nodes -- [--node 26 …] [path …]
import { spawnSync } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import { parseArgs } from 'node:util';

/** What a line of Node is tested with; any other version is named in full. */
const PINNED = { 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { node: { type: 'string', multiple: true, default: Object.keys(PINNED) } },
});

/** The path of a Node that says itself that it is this version. */
function fetched(version) {
  const ask = ['node', '-p', 'JSON.stringify([process.version, process.execPath])'];
  const stdio = ['ignore', 'pipe', 'inherit'];
  const { status, stdout } = spawnSync('npx', ['--yes', '--package', `node@${version}`, ...ask], { stdio });
  if (status !== 0) throw new Error(`npx could not run Node ${version}`);
  const [actual, path] = JSON.parse(stdout);
  if (actual !== `v${version}`) throw new Error(`npx ran Node ${actual}, not v${version}: name a whole version`);
  return path;
}

/** The tests run on that very file, and so does all that they start, by `process.execPath` or as `node`. */
function passes([version, node]) {
  console.log(`\nNode ${version}`);
  const env = { ...process.env, PATH: dirname(node) + delimiter + process.env.PATH };
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...positionals];
  return spawnSync(node, args, { env, stdio: 'inherit' }).status === 0;
}

const versions = values.node.map((named) => PINNED[named] ?? named);
const nodes = versions.map((version) => [version, fetched(version)]);
const failed = nodes.filter((node) => !passes(node)).map(([version]) => version);
if (failed.length) console.error(`\nThe tests failed on Node ${failed.join(', ')}`);
process.exitCode = failed.length && 1;
