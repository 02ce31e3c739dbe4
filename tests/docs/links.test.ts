// Every link of the documentation to a file of the repository leads to one, and to a heading that is there. No page is
// far from the README.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { anchorsOf, linksOf } from '../support/links.js';
import { filesOf, root } from '../support/snippets.js';

const pages = await filesOf('*.md', 'docs/**/*.md', 'packages/*/README.md', 'examples/*.md', 'bench/*.md', 'fuzz/*.md');

test.each(pages)('%s', async (page) => {
  const broken: string[] = [];
  for (const { text, target, anchor } of await linksOf(page)) {
    if (!existsSync(join(root, target))) broken.push(text);
    else if (anchor !== undefined && !(await anchorsOf(target)).includes(anchor)) broken.push(text);
  }
  expect(broken).toEqual([]);
});

test('every page of docs/ is two clicks away from the README at most', async () => {
  const clicks = new Map([['README.md', 0]]);
  for (const [page, count] of clicks) {
    if (count === 2) continue;
    for (const { target } of await linksOf(page)) {
      if (target.endsWith('.md') && !clicks.has(target)) clicks.set(target, count + 1);
    }
  }
  expect(pages.filter((page) => page.startsWith('docs/') && !clicks.has(page))).toEqual([]);
});
