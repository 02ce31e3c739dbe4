// Every link of the documentation to a file of the repository leads to one, and to a heading that is there.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { filesOf, root } from '../support/snippets.js';

const pages = await filesOf('*.md', 'docs/**/*.md', 'packages/*/README.md', 'examples/*.md', 'bench/*.md', 'fuzz/*.md');

test.each(pages)('%s', async (page) => {
  const text = await proseOf(join(root, page));
  const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?[^)]*\)/g)];
  const broken: string[] = [];
  for (const [link, path, anchor] of links) {
    const target = path ? join(root, dirname(page), path) : join(root, page);
    if (!existsSync(target)) broken.push(link);
    else if (anchor !== undefined && !(await anchorsOf(target)).includes(anchor)) broken.push(link);
  }
  expect(broken).toEqual([]);
});

/** The anchors that GitHub gives to the headings of a page. */
async function anchorsOf(file: string): Promise<string[]> {
  const text = await proseOf(file);
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

/** A page without its blocks of code. */
async function proseOf(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).replaceAll(/^```.*?^```$/gms, '');
}
