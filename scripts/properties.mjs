// Runs the property tests at any size: npm run properties -- --runs 10000 [--seed N] [--path P] [name …]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string' }, seed: { type: 'string' }, path: { type: 'string' } },
});
const env = { ...process.env };
for (const [name, value] of Object.entries(values)) env[`RXSOCK_${name.toUpperCase()}`] = value;
// The limit of one test grows with its runs: a property over real sockets takes some milliseconds a run.
const testTimeout = Math.max(60_000, Number(values.runs ?? 100) * 100);
const args = ['vitest', 'run', '--project', 'properties', `--testTimeout=${testTimeout}`, ...positionals];
process.exitCode = spawnSync('npx', args, { env, stdio: 'inherit' }).status ?? 1;
