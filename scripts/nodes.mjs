// Runs the tests on other versions of Node, which npx downloads: npm run nodes -- [--node 26 …] [path …]
import { spawnSync } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import { parseArgs } from 'node:util';

/** The version that stands for each major version. Name any other version in full. */
const PINNED = { 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { node: { type: 'string', multiple: true, default: Object.keys(PINNED) } },
});

/** Downloads a version of Node. Returns the path of its executable, after checking that it is this version. */
function download(version) {
  const printVersion = ['node', '-p', 'JSON.stringify([process.version, process.execPath])'];
  const stdio = ['ignore', 'pipe', 'inherit'];
  const { status, stdout } = spawnSync('npx', ['--yes', '--package', `node@${version}`, ...printVersion], { stdio });
  if (status !== 0) throw new Error(`npx could not run Node ${version}`);
  const [actual, path] = JSON.parse(stdout);
  if (actual !== `v${version}`) throw new Error(`npx ran Node ${actual}, not v${version}: give the full version`);
  return path;
}

/** Runs the tests on a Node. All that the tests start, as `process.execPath` or as `node`, runs on it too. */
function testsPass([version, node]) {
  console.log(`\nNode ${version}`);
  const env = { ...process.env, PATH: dirname(node) + delimiter + process.env.PATH };
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...positionals];
  return spawnSync(node, args, { env, stdio: 'inherit' }).status === 0;
}

const versions = values.node.map((name) => PINNED[name] ?? name);
const nodes = versions.map((version) => [version, download(version)]);
const failed = nodes.filter((node) => !testsPass(node)).map(([version]) => version);
if (failed.length) console.error(`\nThe tests failed on Node ${failed.join(', ')}`);
process.exitCode = failed.length && 1;
