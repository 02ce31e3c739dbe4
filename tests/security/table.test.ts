// Every test that SECURITY.md names exists: the text of a link is in its file, or is the name of the file.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/snippets.js';

const page = await readFile(path.join(root, 'SECURITY.md'), 'utf8');
const links = [...page.matchAll(/\[([^\]]+)\]\(([^)]+\.test\.ts)\)/g)].map(([, name = '', file = '']) => ({
  name,
  file,
}));

test('SECURITY.md names tests', () => {
  expect(links.length).toBeGreaterThan(30);
});

test.each(links)('$name', async ({ name, file }) => {
  const text = await readFile(path.join(root, file), 'utf8');
  if (path.basename(file, '.test.ts') !== name) expect(text).toContain(name);
});
