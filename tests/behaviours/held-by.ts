// The tables of docs/conformance.md: behaviours that others have named, and the test of ours that holds each.
import { readFileSync } from 'node:fs';

export interface Row {
  /** The name that it has elsewhere. */
  readonly name: string;
  /** What it asks for, in one sentence. */
  readonly behaviour: string;
  /** The file of the test, from the root. */
  readonly file: string;
  /** The title of the test, as it stands in the file. */
  readonly title: string;
}

const root = new URL('../../', import.meta.url);
const document = readFileSync(new URL('docs/conformance.md', root), 'utf8');

/** The rows of the table under a heading. */
export function rowsUnder(heading: string): Row[] {
  const section = document.split('\n## ').find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| ---'));
  return lines.slice(1).map((line) => {
    const [, name, behaviour, title, file] = /^\| `(.+?)` \| (.+) \| \[(.+)\]\(\.\.\/(.+)\) \|$/.exec(line) ?? [];
    if (!name || !behaviour || !title || !file) throw new Error(`Not a row: ${line}`);
    return { name, behaviour, file, title };
  });
}

/** Whether the file has a test of this title. A test is a call with the title as its first argument. */
export function hasTest({ file, title }: Row): boolean {
  const source = readFileSync(new URL(file, root), 'utf8');
  return ["'", '"', '`'].some((quote) => {
    const literal = quote + title.replaceAll(quote, `\\${quote}`) + quote;
    for (let at = source.indexOf(literal); at >= 0; at = source.indexOf(literal, at + 1)) {
      if (source.slice(0, at).trimEnd().endsWith('(')) return true;
    }
    return false;
  });
}
