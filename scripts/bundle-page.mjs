// The page of a package that has one, as the inspector does: what a browser loads, and nothing from anywhere else.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';

/** Returns the files of the page, by their names in `dist`. The code is one file, with the libraries that it imports. */
export async function pageOf(folder) {
  const page = join(folder, 'page');
  const files = new Map();
  if (!existsSync(page)) return files;
  const built = await rolldown({
    input: join(page, 'main.ts'),
    platform: 'browser',
    resolve: { extensionAlias: { '.js': ['.ts'] } },
  });
  const { output } = await built.generate({ minify: true });
  await built.close();
  files.set('page/main.js', output[0].code);
  for (const name of ['index.html', 'style.css']) files.set(`page/${name}`, readFileSync(join(page, name), 'utf8'));
  const uPlot = dirname(createRequire(join(folder, 'package.json')).resolve('uplot/package.json'));
  files.set('page/uPlot.min.css', readFileSync(join(uPlot, 'dist', 'uPlot.min.css'), 'utf8'));
  files.set('page/uPlot.LICENSE', readFileSync(join(uPlot, 'LICENSE'), 'utf8'));
  return files;
}
