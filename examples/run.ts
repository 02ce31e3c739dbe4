// Runs an example by its name: npm run example -- echo-server --port 7000
import { readdir } from 'node:fs/promises';
import { commandLine } from './kit/command-line.js';

const notExamples = ['cli.js', 'run.js'];
/** The folder of each example. */
const folders = new Map<string, string>();
for (const folder of ['.', './clients']) {
  for (const file of await readdir(new URL(folder, import.meta.url))) {
    if (file.endsWith('.js') && !notExamples.includes(file)) folders.set(file.slice(0, -'.js'.length), folder);
  }
}

const program = commandLine('npm run example --', 'Runs an example.')
  .argument('<name>', 'which one')
  .argument('[arguments...]', 'what it gets; --help lists them')
  .passThroughOptions()
  .showHelpAfterError()
  .addHelpText('after', `\nExamples:\n  ${[...folders.keys()].join('\n  ')}`)
  .parse();
const [name, args] = program.processedArgs as [string, string[]];
const folder = folders.get(name) ?? program.error(`error: there is no example ${name}`);

// The example parses process.argv, where its own name must not be.
process.argv.splice(2, Number.POSITIVE_INFINITY, ...args);
await import(`${folder}/${name}.js`);
