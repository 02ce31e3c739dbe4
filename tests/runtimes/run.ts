// Runs the tests of one bundled file on this runtime: run.js <file> <index of the first test>. Prints a line of JSON
// before and after each test, so that whoever started this sees where it hangs, and can go on behind that.
import { pathToFileURL } from 'node:url';
import { cases, runCase } from './vitest-stand-in.js';

const [file, first] = process.argv.slice(2) as [string, string];
const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

await import(pathToFileURL(file).href);

// What happens in no test's own promise belongs to the test that runs.
let lost: unknown;
process.on('unhandledRejection', (reason) => {
  lost = reason;
});
process.on('uncaughtException', (error) => {
  lost = error;
});

print({ total: cases.length });
for (const [index, each] of cases.entries()) {
  if (index < Number(first)) continue;
  print({ index, name: each.name });
  let failure: unknown;
  lost = undefined;
  try {
    await runCase(each);
    await new Promise(setImmediate);
    failure = lost;
  } catch (error) {
    failure = error ?? 'undefined was thrown';
  }
  const message = failure && String(failure instanceof Error ? failure.message : failure);
  print({ index, name: each.name, over: true, failure: message });
}
// Sockets of a test that failed may still be open.
process.exit();
