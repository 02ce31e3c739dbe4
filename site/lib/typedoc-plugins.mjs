// What TypeDoc has to be told: what entry points are called, and where the names in comments lead.
import { join, relative } from 'node:path';
import { Comment, Converter } from 'typedoc';
import { root } from '../../scripts/lib/packages.mjs';
import { apiEntries } from './entries.mjs';

const MDN = 'https://developer.mozilla.org/docs/Web/JavaScript/Reference/Global_Objects/';

/** Names each module as programs import it, and says what it is for. TypeDoc names it after its file. */
export function nameModules(app) {
  const packages = join(root, 'packages');
  const entries = new Map(
    apiEntries().map((entry) => [relative(packages, entry.types).replace(/(\/index)?\.d\.ts$/, ''), entry]),
  );
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children) {
      const { name, summary } = entries.get(module.name);
      module.name = name;
      module.comment = new Comment([{ kind: 'text', text: summary }]);
    }
  });
}

/**
 * Resolves `{@link SocketError}` in a file that does not import the name: to the export of any entry point, first of
 * `@rxsock/core`. Names of the language lead to MDN.
 */
export function resolveNames(app) {
  app.converter.addUnknownSymbolResolver(({ symbolReference, moduleSource }, from) => {
    const path = symbolReference?.path?.map(({ path }) => path) ?? [];
    if (moduleSource !== undefined) return undefined;
    if (path[0] in globalThis) return MDN + path[0];
    const { children } = from.project;
    const modules = children.toSorted((a, b) => Number(b.name === '@rxsock/core') - Number(a.name === '@rxsock/core'));
    const target = modules.map((module) => module.getChildByName(path)).find((found) => found !== undefined);
    return target && { target };
  });
}
