// Which files may import which. `npm run structure` checks it with dependency-cruiser; imports of types count as well.

/**
 * The rooms of packages/core/src, the lowest layer first. A room imports itself and the layers below it. It imports
 * nothing above it, and nothing beside it on its own line unless `besides` allows it.
 */
const layers = [
  ['base'],
  ['framing', 'flow', 'lookup', 'proxy-protocol', 'observe'],
  ['engine', 'pcapng'],
  ['dial'],
  ['socket.ts'],
  ['server'],
  ['connect.ts', 'listen.ts'],
  ['transfer'],
  ['operators'],
  ['streams'],
  ['reader'],
  ['reconnect', 'pool', 'registry', 'process', 'proxy', 'diagnostics', 'metrics', 'capture'],
  ['testing'],
  ['fast-check'],
  ['index.ts', 'internal.ts'],
];

/** Imports of a room beside on the same line. */
const besides = {
  'listen.ts': ['connect.ts'],
  pool: ['reconnect'],
  diagnostics: ['reconnect', 'pool'],
  metrics: ['diagnostics'],
};

const anyOf = (parts) => `(${parts.map((part) => part.replaceAll('.', '\\.')).join('|')})`;
const core = '^packages/core/src/';
const sources = '^packages/([^/]+)/src/';
const page = '^packages/inspector/page/';
const tests = '^packages/([^/]+)/test/';
/** A room with an `index` has an entry point of its own: `@rxsock/core/registry` and so on. */
const entryPoints = anyOf(['index', 'internal', '[^/]+/index']);

/** Matches the files of some rooms of core: all files in a folder, or the one file. */
const filesIn = (rooms) => `${core}${anyOf(rooms)}(/|$)`;

const forbid = (name, from, to) => ({ name, severity: 'error', from, to });

const arrows = layers.flatMap((layer, height) => {
  const below = layers.slice(0, height).flat();
  return layer.map((room) => {
    const allowed = filesIn([room, ...below, ...(besides[room] ?? [])]);
    return forbid(`${room} imports only lower layers`, { path: filesIn([room]) }, { path: core, pathNot: allowed });
  });
});

module.exports = {
  forbidden: [
    forbid('no circle of files', {}, { circular: true }),
    ...arrows,
    forbid('every file of core lies in a room', { path: core, pathNot: filesIn(layers.flat()) }, {}),
    forbid('no source imports an entry point', { path: sources }, { path: `${sources}${entryPoints}\\.ts$` }),
    forbid(
      'sibling packages import core by its entry points, and no other package',
      { path: sources, pathNot: core },
      { path: '^packages/', pathNot: ['^packages/$1/src/', `^packages/core/dist/${entryPoints}\\.(js|d\\.ts)$`] },
    ),
    forbid(
      'only the room fast-check imports fast-check',
      { path: sources, pathNot: filesIn(['fast-check']) },
      { path: ['^fast-check$', 'node_modules/fast-check/'] },
    ),
    forbid(
      'the page of the inspector imports nothing that a browser does not have, apart from types',
      { path: page },
      { pathNot: [page, 'node_modules/uplot/', '^packages/inspector/(src|dist)/messages\\.'] },
    ),
    forbid('sources do not import tests', { path: sources }, { path: ['^tests/', tests] }),
    forbid(
      'only the tests of a package import its test folder',
      { path: tests },
      { path: tests, pathNot: '^packages/$1/' },
    ),
    forbid('nothing outside the packages imports their test folders', { pathNot: '^packages/' }, { path: tests }),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: ['node_modules', '(^|/)dist/'] },
    exclude: { path: '^tests/(docs|mutation)/dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['module', 'import', 'node', 'default'] },
  },
};
