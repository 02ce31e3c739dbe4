// Writes the JavaScript of the packages, beside the declarations that `tsc -b` writes. Twice, from the same sources:
//
//   dist/index.js, …           one file for each source, for bundlers: they leave out the files that a program does not
//                              use. The condition `module` of package.json leads there.
//   dist/bundle/index.js, …    one file for each entry point, and one for what they share, for Node: to open and resolve
//                              250 files takes twice as long as to import RxJS.
//   dist/page/index.html, …    the page of a package that has one.
//
// `npm run build` runs it, and so does every run of the tests, whose child processes import the packages by name.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { pageOf } from './bundle-page.mjs';

const packages = fileURLToPath(new URL('../packages', import.meta.url));
const BUNDLE = 'bundle/';

/** Builds all packages. */
export async function bundle() {
  for (const name of readdirSync(packages)) await bundlePackage(join(packages, name));
}

async function bundlePackage(folder) {
  const src = join(folder, 'src');
  const dist = join(folder, 'dist');
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const conditions = Object.values(exports).filter((target) => typeof target === 'object');
  const built = await rolldown({
    // The name of a bundle, and the source of the entry point.
    input: Object.fromEntries(
      conditions.map(({ module, default: bundled }) => [
        relative(`./dist/${BUNDLE}`, bundled).replace(/\.js$/, ''),
        join(src, relative('./dist', module)).replace(/\.js$/, '.ts'),
      ]),
    ),
    cwd: src,
    external: (id) => !/^[./]/.test(id),
    platform: 'node',
    resolve: { extensionAlias: { '.js': ['.ts'] } },
  });
  // The comments are in the declarations. Names stay as they are, for the sake of stack traces.
  const bundled = await built.generate({
    comments: false,
    chunkFileNames: '[name].js',
    codeSplitting: { groups: [{ name: 'shared', minShareCount: 2 }] },
  });
  const files = await built.generate({
    comments: false,
    preserveModules: true,
    entryFileNames: ({ facadeModuleId }) => relative(src, facadeModuleId).replace(/\.ts$/, '.js'),
    preserveModulesRoot: src,
    minify: { mangle: false, compress: false, codegen: { removeWhitespace: true } },
  });
  await built.close();
  const output = new Map([
    ...files.output.map(({ fileName, code }) => [fileName, code]),
    ...bundled.output.map(({ fileName, code }) => [`${BUNDLE}${fileName}`, code]),
    ...(await pageOf(folder)),
  ]);
  for (const [name, code] of output) write(join(dist, name), code);
  for (const name of filesIn(dist)) if (!output.has(name) && !isOfSource(name, src)) rmSync(join(dist, name));
}

/** Replaces a file in one step, and only if it changes: programs of another test run may be importing it. */
function write(path, text) {
  try {
    if (readFileSync(path, 'utf8') === text) return;
  } catch {
    mkdirSync(dirname(path), { recursive: true });
  }
  const part = `${path}.${process.pid}.part`;
  writeFileSync(part, text);
  renameSync(part, path);
}

/** Whether `tsc -b` has written a file, for a source that there still is. */
function isOfSource(name, src) {
  return name.endsWith('.tsbuildinfo') || filesIn(src).has(name.replace(/\.d\.ts$/, '.ts'));
}

function filesIn(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Set(entries.map((entry) => relative(folder, join(entry.parentPath, entry.name))));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await bundle();
