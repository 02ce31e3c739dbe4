// The words by which the search of the site finds a page belong to pages that exist.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/snippets.js';

const read = (...path: string[]) => readFile(join(root, ...path), 'utf8');

test('every keyword of the search belongs to an export or to a guide', async () => {
  const keys = Object.keys(JSON.parse(await read('site', 'keywords.json')));
  const names = new Set((await read('tests', 'exports', 'exports.md')).match(/\w+/g));
  expect(keys.length).toBeGreaterThan(50);
  expect(keys.filter((key) => !names.has(key) && !existsSync(join(root, `${key}.md`)))).toEqual([]);
});
