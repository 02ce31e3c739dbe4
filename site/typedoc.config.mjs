// The API reference: a page for each export of each entry point, from the declarations that the build has made.
import { apiEntries } from './lib/entries.mjs';
import { nameModules, resolveNames } from './lib/typedoc-plugins.mjs';

export default {
  entryPoints: apiEntries().map(({ types }) => types),
  tsconfig: 'tsconfig.json',
  out: 'api',
  docsRoot: '.',
  plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme', nameModules, resolveNames],
  readme: 'none',
  excludeExternals: true,
  // The declarations are written by the compiler: a link into them would help nobody.
  disableSources: true,
  sanitizeComments: true,
  indexFormat: 'table',
  parametersFormat: 'list',
  hideBreadcrumbs: true,
  hidePageHeader: true,
  pageTitleTemplates: { index: 'API reference', module: '{name}', member: '{name}' },
  logLevel: 'Warn',
  treatWarningsAsErrors: true,
};
