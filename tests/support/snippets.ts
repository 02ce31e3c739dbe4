// Finds the code blocks in Markdown and in TSDoc.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { glob } from 'tinyglobby';

export const root = join(import.meta.dirname, '..', '..');

export interface Snippet {
  readonly file: string;
  readonly line: number;
  readonly code: string;
}

/** The files of the repository that match these patterns. */
export function filesOf(...patterns: string[]): Promise<string[]> {
  return glob(patterns, { cwd: root });
}

/** The blocks of one language in a file, without the comment stars that TSDoc puts before them. */
export async function snippetsOf(file: string, language: string): Promise<Snippet[]> {
  const text = await readFile(join(root, file), 'utf8');
  const block = new RegExp(`^([ *]*)\`\`\`${language}\\n(.*?)^\\1\`\`\`$`, 'gms');
  return [...text.matchAll(block)].map(({ index, 1: margin = '', 2: body = '' }) => ({
    file,
    line: text.slice(0, index).split('\n').length,
    code: body
      .split('\n')
      .map((line) => (line.startsWith(margin) ? line.slice(margin.length) : line.trimStart().replace(/^\*$/, '')))
      .join('\n'),
  }));
}
