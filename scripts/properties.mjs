// Runs the property tests with any number of runs: npm run properties -- --runs 10000 [--seed N] [--path P] [name …]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string' }, seed: { type: 'string' }, path: { type: 'string' } },
});
const env = { ...process.env };
for (const [name, value] of Object.entries(values)) env[`RXSOCK_${name.toUpperCase()}`] = value;
const args = ['vitest', 'run', '--project', 'properties', ...positionals];
process.exitCode = spawnSync('npx', args, { env, stdio: 'inherit' }).status ?? 1;
