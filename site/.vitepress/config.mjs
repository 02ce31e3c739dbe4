// The site: every Markdown file of the repository in its place, the API reference, and the sources that they link to.
import { readFileSync } from 'node:fs';
import { slug } from 'github-slugger';
import { defineConfig } from 'vitepress';
import { diagrams } from '../lib/diagrams.mjs';
import { repositoryLinks } from '../lib/links.mjs';
import { renderForSearch } from '../lib/search.mjs';
import { sidebar } from '../lib/sidebar.mjs';

const { description } = JSON.parse(readFileSync(new URL('../../packages/core/package.json', import.meta.url), 'utf8'));

/** Most pages are outside this folder, where no package is installed. The build of the HTML runs here, and finds Vue. */
const vueFromHere = {
  name: 'vue-from-here',
  enforce: 'pre',
  resolveId: (id, _importer, { ssr }) => (ssr && /^vue(\/|$)/.test(id) ? { id, external: true } : undefined),
};

export default defineConfig({
  title: 'rxsock',
  description,
  lang: 'en',
  srcDir: '..',
  srcExclude: ['tests/**', '.github/**', '**/dist/**'],
  outDir: './dist',
  cacheDir: './node_modules/.vitepress',
  rewrites: {
    'README.md': 'index.md',
    ':folder(.*)/README.md': ':folder/index.md',
    'site/api/:page(.*)': 'api/:page',
    'site/source/:page(.*)': 'source/:page',
  },
  vite: { plugins: [vueFromHere] },
  markdown: {
    // Enough contrast for everybody.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    // The anchors that the links between the files have on GitHub.
    anchor: { slugify: (title) => slug(title) },
    config(md) {
      md.use(repositoryLinks);
      md.use(diagrams);
    },
  },
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/docs/start' },
      { text: 'Examples', link: '/examples/' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: sidebar(),
    outline: { level: [2, 3] },
    search: {
      provider: 'local',
      options: {
        _render: renderForSearch,
        miniSearch: {
          searchOptions: {
            fuzzy: 0.2,
            prefix: true,
            boost: { title: 4, text: 2, titles: 1 },
            // This function runs in the browser. First come the keywords and the answers, last what few look for.
            boostDocument: (id) => {
              if (id.endsWith('#VPContent') || id.startsWith('/docs/questions')) return 4;
              return /^\/(CHANGELOG|docs\/(compliance|conformance|mutation))/.test(id) ? 0.5 : 1;
            },
          },
        },
      },
    },
  },
});
