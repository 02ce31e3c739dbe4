// Finds the links in Markdown, and what they lead to.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { root } from './snippets.js';

/** A link to a file of the repository. */
export interface Link {
  /** As it is written. */
  readonly text: string;
  /** The file that it leads to, from the root of the repository. */
  readonly target: string;
  readonly anchor: string | undefined;
}

/** The links of a page to files of the repository, also those to the page itself. */
export async function linksOf(page: string): Promise<Link[]> {
  const links = (await proseOf(page)).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?[^)]*\)/g);
  return [...links].map(([text, path, anchor]) => ({ text, target: path ? join(dirname(page), path) : page, anchor }));
}

/** The anchors that GitHub gives to the headings of a page. */
export async function anchorsOf(page: string): Promise<string[]> {
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

/** A page without its blocks of code. */
async function proseOf(page: string): Promise<string> {
  return (await readFile(join(root, page), 'utf8')).replaceAll(/^```.*?^```$/gms, '');
}
