// What the search finds: the text of each page, and the words in keywords.json, by which people look for a page or for one
// of its sections.
import { readFileSync } from 'node:fs';

const keywords = JSON.parse(readFileSync(new URL('../keywords.json', import.meta.url), 'utf8'));

/** Renders a page for the index. */
export function renderForSearch(source, env, md) {
  if (env.relativePath.startsWith('site/source/')) return '';
  const key = keyOf(env.relativePath);
  const html = addToSections(renderWithoutColors(source, env, md), key);
  const words = keywords[key];
  // Words of a heading count more than words of the text. The result shows the heading, so one sees why it was found.
  return words === undefined ? html : `${html}<h2>${words.join(', ')}<a href="#VPContent"></a></h2><p></p>`;
}

/** Adds the words of `page#section` to the heading of the section. */
function addToSections(html, page) {
  return html.replaceAll(/(<h\d id="([^"]+)".*?)(?= <a class="header-anchor")/g, (heading, _, section) => {
    const words = keywords[`${page}#${section}`];
    return words === undefined ? heading : `${heading} (${words.join(', ')})`;
  });
}

/** The index needs no colors, and they take most of the time. */
function renderWithoutColors(source, env, md) {
  const { highlight } = md.options;
  md.options.highlight = null;
  try {
    return md.render(source, env);
  } finally {
    md.options.highlight = highlight;
  }
}

/** The key of a page in keywords.json: the name of an export, or the path of a Markdown file without its ending. */
function keyOf(page) {
  const path = page.replace(/\.md$/, '');
  return path.startsWith('site/api/') ? path.split('/').at(-1) : path;
}
