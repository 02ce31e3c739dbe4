// Builds the documentation site into site/dist: npm run site. Its tools are installed here, and not by `npm run setup`,
// because no test of the packages needs them.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pnpm, root } from './lib/packages.mjs';

const cwd = join(root, 'site');
const run = (...args) => execFileSync('npx', ['--yes', pnpm, ...args], { cwd, stdio: 'inherit' });

run('install', '--frozen-lockfile', '--reporter=append-only');
run('run', 'build', ...process.argv.slice(2));
