// Gives all packages a new version: npm run set-version -- 0.2.0. They always have the same one.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishedPackages, root } from './lib/packages.mjs';

const SHAPE = /^\d+\.\d+\.\d+(-rc\.\d+)?$/;

const [version] = process.argv.slice(2);
if (!SHAPE.test(version ?? '')) throw new Error(`Give a version such as 0.2.0 or 0.2.0-rc.1, not ${version}`);

/** Replaces text in a file, and fails if it is not there. */
function replace(path, pattern, replacement) {
  const text = readFileSync(path, 'utf8');
  if (!pattern.test(text)) throw new Error(`${path} has no ${pattern}`);
  writeFileSync(path, text.replace(pattern, replacement));
}

for (const { folder } of publishedPackages()) {
  replace(join(folder, 'package.json'), /^ {2}"version": ".*"/m, `  "version": "${version}"`);
}
replace(join(root, 'packages/core/src/base/copy.ts'), /VERSION = '.*'/, `VERSION = '${version}'`);
// A release candidate leaves the section of its release open.
if (!version.includes('-')) {
  const today = new Date().toISOString().slice(0, 10);
  replace(join(root, 'CHANGELOG.md'), new RegExp(`^## ${version} \\(unreleased\\)$`, 'm'), `## ${version} (${today})`);
}
console.log(`All packages have version ${version}. Commit it, then: npm run release`);
