// The words by which the search of the site finds a page or a section belong to one that exists.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { anchorsOf } from '../support/links.js';
import { root } from '../support/snippets.js';

const read = (...path: string[]) => readFile(join(root, ...path), 'utf8');

const keys = Object.keys(JSON.parse(await read('site', 'keywords.json')));

test('every keyword of the search belongs to an export or to a guide', async () => {
  const names = new Set((await read('tests', 'exports', 'exports.md')).match(/\w+/g));
  expect(keys.length).toBeGreaterThan(50);
  const pages = keys.map((key) => key.replace(/#.*/, ''));
  expect(pages.filter((page) => !names.has(page) && !existsSync(join(root, `${page}.md`)))).toEqual([]);
});

test('every section that has keywords is there', async () => {
  const sections = keys.filter((key) => key.includes('#'));
  expect(sections).not.toEqual([]);
  for (const section of sections) {
    const [page, anchor] = section.split('#');
    expect(await anchorsOf(`${page}.md`)).toContain(anchor);
  }
});
