// Writes into each package.json of packages/ what follows from other places: npm run manifests
// The root has what all packages share. `exports` of the package says where the entry points are. With --check it only
// says whether something would change.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { typesOf } from './lib/packages.mjs';

const root = new URL('../', import.meta.url);
const read = (url) => JSON.parse(readFileSync(url, 'utf8'));
const shared = read(new URL('package.json', root));

/** Where old resolutions, which do not read `exports`, find the entry points. */
function oldEntryPoints(exports) {
  const subpaths = Object.entries(exports).filter(([subpath]) => !['.', './package.json'].includes(subpath));
  const types = subpaths.map(([subpath, target]) => [subpath.slice(2), [typesOf(target)]]);
  return {
    main: exports['.'].default ?? exports['.'],
    types: typesOf(exports['.']),
    ...(types.length && { typesVersions: { '*': Object.fromEntries(types) } }),
  };
}

/** The addresses of the project. The root leaves them empty until they exist: then no package has any. */
function addresses(folder) {
  const { repository, homepage, bugs } = shared;
  return {
    ...(homepage && { homepage }),
    ...(bugs && { bugs }),
    ...(repository && { repository: { type: 'git', url: repository, directory: folder } }),
  };
}

function manifestOf(folder, { name, version, description, keywords, ...rest }) {
  const { license, engines, author } = shared;
  const { type, sideEffects, exports, files, ...others } = rest;
  for (const key of ['license', 'author', 'homepage', 'bugs', 'repository']) delete others[key];
  for (const key of ['engines', 'main', 'types', 'typesVersions', 'publishConfig']) delete others[key];
  const described = { name, version, description, keywords, license, author, ...addresses(folder) };
  const publishConfig = { access: 'public', provenance: true };
  return {
    ...described,
    type,
    sideEffects,
    engines,
    ...oldEntryPoints(exports),
    exports,
    files,
    publishConfig,
    ...others,
  };
}

const isCheck = process.argv.includes('--check');
for (const name of readdirSync(new URL('packages/', root))) {
  const folder = `packages/${name}`;
  const url = new URL(`${folder}/package.json`, root);
  const text = `${JSON.stringify(manifestOf(folder, read(url)), undefined, 2)}\n`;
  if (text === readFileSync(url, 'utf8')) continue;
  if (!isCheck) writeFileSync(url, text);
  console.log(`${folder}/package.json ${isCheck ? 'is out of date: npm run manifests' : 'written'}`);
  if (isCheck) process.exitCode = 1;
}
