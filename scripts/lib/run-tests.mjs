// Runs a bundled test file on a runtime, each test within its time: nothing there can keep this waiting.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { root } from './packages.mjs';

/** A test that is silent for longer than its own limit has blocked its process, in milliseconds. */
const SILENCE = 90_000;
/** The rest of a file is not tried after so many tests that ended their process or blocked it. */
const MOST_STARTS = 8;
/** The rest of a file is not tried after this time, in milliseconds. */
const FILE_TIMEOUT = 10 * 60_000;

/** Returns the tests of a bundle: their names, and why they failed. */
export async function runTests(command, runner, bundle, env, silence = SILENCE) {
  const tests = [];
  let total = Infinity;
  const deadline = performance.now() + FILE_TIMEOUT;
  for (let start = 0; start < MOST_STARTS && tests.length < total && performance.now() < deadline; start++) {
    const { lines, end } = await runFrom(command, [runner, bundle, String(tests.length)], env, deadline, silence);
    for (const { total: all, index, name, failure, over } of lines) {
      if (all !== undefined) total = all;
      else tests[index] = over ? { name, failure } : { name, failure: end };
    }
    if (total === Infinity) return [{ name: 'the file is loaded', failure: end }];
  }
  while (tests.length < total) tests.push({ name: `test ${tests.length + 1}`, failure: 'not tried' });
  return tests;
}

/** Runs the tests from an index on. Returns what was printed, and how the process ended. */
async function runFrom([executable, ...args], more, env, deadline, silence) {
  const stdio = ['ignore', 'pipe', 'pipe'];
  const child = spawn(executable, [...args, ...more], { cwd: root, stdio, env: { ...process.env, ...env } });
  let isSilent = false;
  let errors = '';
  child.stderr.on('data', (text) => {
    errors = `${errors}${text}`.slice(-2000);
  });
  const onSilence = () => {
    isSilent = true;
    child.kill('SIGKILL');
  };
  const last = setTimeout(onSilence, deadline - performance.now());
  // To start and to load the file may take longer than any test.
  let timer = setTimeout(onSilence, SILENCE);
  const lines = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    clearTimeout(timer);
    timer = setTimeout(onSilence, silence);
    if (line.startsWith('{')) lines.push(JSON.parse(line));
  });
  const [code, signal] = await new Promise((resolve) => child.on('close', (...how) => resolve(how)));
  clearTimeout(timer);
  clearTimeout(last);
  return { lines, end: isSilent ? 'the process hung' : `the process ended (${signal ?? code}) ${errors.trim()}` };
}
