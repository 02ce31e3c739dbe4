// Runs an example by its name: npm run example -- echo-server --port 7000
import { readdir } from 'node:fs/promises';

const [name, ...rest] = process.argv.slice(2);
const notExamples = ['cli.js', 'run.js'];
const examples = (await readdir(new URL('.', import.meta.url)))
  .filter((file) => file.endsWith('.js') && !notExamples.includes(file))
  .map((file) => file.slice(0, -'.js'.length));

if (name !== undefined && examples.includes(name)) {
  process.argv.splice(2, Number.POSITIVE_INFINITY, ...rest);
  await import(`./${name}.js`);
} else {
  const help = name === '--help' || name === '-h';
  console[help ? 'log' : 'error'](
    `Usage: npm run example -- <name> [options]\n\nExamples:\n  ${examples.join('\n  ')}`,
  );
  process.exitCode = help ? 0 : 1;
}
