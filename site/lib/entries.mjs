// The entry points that the API reference describes: all that users may import.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishedPackages, typesOf } from '../../scripts/lib/packages.mjs';

/** `@rxsock/core/internal` is for the other packages. */
const PRIVATE = ['./internal', './package.json'];

/** The entry points: as programs import them, their declarations, and what they are for. */
export function apiEntries() {
  return publishedPackages().flatMap(({ folder, manifest }) =>
    Object.entries(manifest.exports)
      .filter(([subpath]) => !PRIVATE.includes(subpath))
      .map(([subpath, target]) => {
        const types = join(folder, typesOf(target));
        const summary = subpath === '.' ? manifest.description : firstComment(types);
        return { name: manifest.name + subpath.slice(1), types, summary };
      }),
  );
}

/** What the first comment of the source says behind the name of the entry point. */
function firstComment(types) {
  const source = readFileSync(types.replace('/dist/', '/src/').replace(/\.d\.ts$/, '.ts'), 'utf8');
  const [comment] = /^(\/\/.*\n)+/.exec(source);
  const text = comment
    .replaceAll(/^\/\/ ?/gm, '')
    .replaceAll('\n', ' ')
    .replace(/^.*?: /, '')
    .trim();
  return text[0].toUpperCase() + text.slice(1);
}
