// Every link of the documentation to a file of the repository leads to one, and to a heading that is there. No page is
// far from the README.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { linksOf, proseOf } from '../support/links.js';
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

/** The anchors that GitHub gives to the headings of a page. */
async function anchorsOf(page: string): Promise<string[]> {
  const text = await proseOf(page);
  const seen = new Map<string, number>();
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => {
    const words = heading!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const anchor = words
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}
