// The recipes show the programs that tests/examples/recipes.test.ts runs, whole and as they are.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesOf, root } from '../support/snippets.js';

const pages = await filesOf('docs/recipes/*.md');
const programs = await filesOf('examples/recipes/**/*.ts', 'examples/recipes/Dockerfile');

/** The blocks whose first line names a file. */
async function shownIn(page: string): Promise<[file: string, text: string][]> {
  const text = await readFile(join(root, page), 'utf8');
  return [...text.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)].map(([, file, shown]) => [file!, shown!]);
}

test.each(programs)('%s is in one recipe, as it is', async (program) => {
  const shown = (await Promise.all(pages.map(shownIn))).flat().filter(([file]) => file === program);
  expect(shown).toEqual([[program, await readFile(join(root, program), 'utf8')]]);
});

test('every recipe shows a program, and is in the list', async () => {
  const list = await readFile(join(root, 'docs/recipes/README.md'), 'utf8');
  const recipes = pages.filter((page) => !page.endsWith('README.md'));
  expect(recipes.length).toBeGreaterThan(8);
  for (const recipe of recipes) {
    expect(await shownIn(recipe)).not.toEqual([]);
    expect(list).toContain(`](${recipe.split('/').at(-1)})`);
  }
});
