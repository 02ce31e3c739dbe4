// Links between the Markdown files lead to files of the repository. Here they lead to the pages of these files.
import { existsSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { root } from '../../scripts/lib/packages.mjs';
import { isSource } from './sources.mjs';

/** A plugin for markdown-it. */
export function repositoryLinks(md) {
  md.core.ruler.push('repository-links', ({ tokens, env }) => {
    const file = env.realPath ?? env.path;
    if (file === undefined || relative(root, file).startsWith('site')) return;
    for (const { children } of tokens) if (children) replaceLinks(children, dirname(file));
  });
}

function replaceLinks(tokens, folder) {
  for (const [index, token] of tokens.entries()) {
    if (token.type !== 'link_open') continue;
    const [path, hash] = token.attrGet('href').split('#');
    if (path === '' || /^[a-z]+:/.test(path)) continue;
    const page = pageOf(relative(root, resolve(folder, decodeURI(path))));
    if (page !== undefined) token.attrSet('href', hash === undefined ? page : `${page}#${hash}`);
    else unlink(tokens, index);
  }
}

/** Where a file of the repository is on the site. */
function pageOf(file) {
  if (isSource(file)) return `/source/${file}.html`;
  if (file.startsWith('tests/')) return undefined;
  if (extname(file) === '.md') return `/${file.replace(/(^|\/)README\.md$/, '$1')}`;
  if (file.startsWith('examples')) return '/examples/';
  return existsSync(join(root, file, 'README.md')) ? `/${file}/` : undefined;
}

/** Leaves the text of a link to what the site does not have, such as a folder of tests. */
function unlink(tokens, index) {
  const end = tokens.findIndex(({ type }, later) => later > index && type === 'link_close');
  for (const token of [tokens[index], tokens[end]])
    Object.assign(token, { type: 'text', tag: '', nesting: 0, content: '' });
}
