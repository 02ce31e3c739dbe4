// Runs an example by its name: npm run example -- echo-server --port 7000
import { readdir } from 'node:fs/promises';

const [name, ...args] = process.argv.slice(2);
const notExamples = ['cli.js', 'run.js'];
const examples = (await readdir(new URL('.', import.meta.url)))
  .filter((file) => file.endsWith('.js') && !notExamples.includes(file))
  .map((file) => file.slice(0, -'.js'.length));

if (name !== undefined && examples.includes(name)) {
  // The example parses process.argv, where its own name must not be.
  process.argv.splice(2, Number.POSITIVE_INFINITY, ...args);
  await import(`./${name}.js`);
} else {
  const wantsHelp = name === '--help' || name === '-h';
  console[wantsHelp ? 'log' : 'error'](
    `Usage: npm run example -- <name> [options]\n\nExamples:\n  ${examples.join('\n  ')}`,
  );
  process.exitCode = wantsHelp ? 0 : 1;
}
