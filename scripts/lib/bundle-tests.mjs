// Bundles test files for runtimes that cannot run vitest: `vitest` becomes the stand-in of tests/runtimes.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { root } from './packages.mjs';

const folder = join(root, 'tests', 'runtimes');

/** Test files find what lies beside them by their own URL. */
const keepUrls = {
  name: 'keep-urls',
  transform: (code, id) => code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href)),
};

/**
 * Bundles test files into a folder of its own, in which runtimes find the packages that the tests import.
 * @returns The path of the runner, the path of each bundle by its file, and how to remove the folder.
 */
export async function bundleTests(files) {
  const dist = join(folder, 'dist', `${process.pid}`);
  const names = files.map((file) => file.replace(/\.ts$/, ''));
  const built = await rolldown({
    input: {
      run: join(folder, 'run.ts'),
      ...Object.fromEntries(names.map((name) => [name, join(root, `${name}.ts`)])),
    },
    external: (id) => !/^([./]|vitest$|@oxc-project\/runtime)/.test(id),
    platform: 'node',
    plugins: [keepUrls],
    // Node 20 lacks `using`.
    transform: { target: 'es2022' },
    resolve: { alias: { vitest: join(folder, 'vitest-stand-in.ts') }, extensionAlias: { '.js': ['.ts'] } },
  });
  await built.write({ dir: dist });
  await built.close();
  const pathOf = (name) => join(dist, `${name}.js`);
  return {
    runner: pathOf('run'),
    bundles: new Map(files.map((file, at) => [file, pathOf(names[at])])),
    remove: () => rmSync(dist, { recursive: true }),
  };
}
