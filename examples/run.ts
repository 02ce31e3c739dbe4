// Runs an example by its name: npm run example -- echo-server --port 7000
import { readdir } from 'node:fs/promises';

const [name, ...args] = process.argv.slice(2);
const notExamples = ['cli.js', 'run.js'];
/** The folder of each example. */
const folders = new Map<string, string>();
for (const folder of ['.', './clients']) {
  for (const file of await readdir(new URL(folder, import.meta.url))) {
    if (file.endsWith('.js') && !notExamples.includes(file)) folders.set(file.slice(0, -'.js'.length), folder);
  }
}
const folder = folders.get(name ?? '');

if (folder !== undefined) {
  // The example parses process.argv, where its own name must not be.
  process.argv.splice(2, Number.POSITIVE_INFINITY, ...args);
  await import(`${folder}/${name}.js`);
} else {
  const wantsHelp = name === '--help' || name === '-h';
  console[wantsHelp ? 'log' : 'error'](
    `Usage: npm run example -- <name> [options]\n\nExamples:\n  ${[...folders.keys()].join('\n  ')}`,
  );
  process.exitCode = wantsHelp ? 0 : 1;
}
