// Runs the tests on other versions of Node, which npx downloads: npm run nodes -- [--node 26 …] [path …]
import { spawnSync } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { download, nodes } from './lib/runtimes.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { node: { type: 'string', multiple: true, default: nodes.filter((name) => name !== '20') } },
});

/** Runs the tests on a Node. All that the tests start, as `process.execPath` or as `node`, runs on it too. */
function testsPass({ title, executable }) {
  console.log(`\n${title}`);
  const env = { ...process.env, PATH: dirname(executable) + delimiter + process.env.PATH };
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...positionals];
  return spawnSync(executable, args, { env, stdio: 'inherit' }).status === 0;
}

const failed = values.node.map(download).filter((node) => !testsPass(node));
if (failed.length) console.error(`\nThe tests failed on ${failed.map(({ title }) => title).join(', ')}`);
process.exitCode = failed.length && 1;
