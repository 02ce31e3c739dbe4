// The files that are shown as pages: all examples, and what the Markdown files link to, such as tests.
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { globSync } from 'tinyglobby';
import { root } from '../../scripts/lib/packages.mjs';

const ignore = ['**/node_modules/**', '**/dist/**', 'site/**', 'tests/fuzz/**', 'fuzz/corpus/**'];
const files = (pattern) => globSync(pattern, { cwd: root, ignore });

const linked = files('**/*.md').flatMap((page) => {
  const links = readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^):#]+\.(?:ts|mjs|cjs|json))[)#]/g);
  return [...links].map(([, target]) => relative(root, resolve(root, dirname(page), target)));
});

/** Their paths in the repository. */
export const sources = [...new Set([...files('examples/**/*.ts'), ...linked])].sort();

const known = new Set(sources);
export const isSource = (file) => known.has(file);
