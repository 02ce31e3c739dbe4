// The files of the page. They are read once, so that no request names a file of the system.
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';

export interface Asset {
  readonly type: string;
  readonly content: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

/** Where the build puts the page: found by the name of the package, because this code may be in a bundle. */
const FOLDER = join(dirname(createRequire(import.meta.url).resolve('@rxsock/inspector/package.json')), 'dist', 'page');

/** Reads the files of the page. `index.html` has the empty name. */
export async function readAssets(): Promise<ReadonlyMap<string, Asset>> {
  const assets = new Map<string, Asset>();
  for (const file of await readdir(FOLDER)) {
    const type = TYPES[extname(file)];
    if (type) assets.set(file === 'index.html' ? '' : file, { type, content: await readFile(join(FOLDER, file)) });
  }
  return assets;
}
