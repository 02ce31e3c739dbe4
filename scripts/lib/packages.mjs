// The packages that are published: their manifests, their entry points and their tarballs.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const root = fileURLToPath(new URL('../../', import.meta.url));

const read = (...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8'));

/** The version of pnpm that `npm run setup` uses, for npx. */
export const pnpm = /pnpm@[\d.]+/.exec(read('package.json').scripts.setup)[0];

/** The declarations that a target in `exports` has, from the folder of the package. */
export function typesOf(target) {
  return target.types ?? target.replace(/\.js$/, '.d.ts');
}

/** The published packages: their folder, their manifest, and their entry points as programs import them. */
export function publishedPackages() {
  return readdirSync(join(root, 'packages')).map((name) => {
    const folder = join(root, 'packages', name);
    const manifest = read('packages', name, 'package.json');
    const targets = Object.entries(manifest.exports).filter(([subpath]) => subpath !== './package.json');
    const entries = targets.map(([subpath, target]) => ({
      name: posix.join(manifest.name, subpath),
      types: join(folder, typesOf(target)),
      source: join(folder, typesOf(target).replace('./dist/', 'src/').replace('.d.ts', '.ts')),
    }));
    return { folder, manifest, entries };
  });
}

/** Packs all packages into a folder, as they are published. Returns the paths of their tarballs. Needs the build. */
export async function packAll(to) {
  const packed = publishedPackages().map(async ({ folder, manifest }) => {
    await promisify(execFile)('npx', ['--yes', pnpm, 'pack', '--pack-destination', to], { cwd: folder });
    return join(to, `${manifest.name.slice(1).replace('/', '-')}-${manifest.version}.tgz`);
  });
  return await Promise.all(packed);
}
