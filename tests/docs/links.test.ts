// Every link of the documentation to a file of the repository leads to one.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { filesOf, root } from '../support/snippets.js';

const pages = await filesOf('*.md', 'docs/**/*.md', 'packages/*/README.md', 'examples/*.md', 'bench/*.md', 'fuzz/*.md');

test.each(pages)('%s', async (page) => {
  const text = await readFile(join(root, page), 'utf8');
  const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map(([, target]) => target!);
  expect(targets.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([]);
});
