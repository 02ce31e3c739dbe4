// Each contender of `npm run bench` does its job small, and counts right. Nothing is measured.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { run } from '../support/program.js';
import { testFolder } from '../support/temporary-folder.js';

const main = fileURLToPath(new URL('../../bench/dist/main.js', import.meta.url));
if (!existsSync(main)) throw new Error(`${main} is missing: run "npm run build" first`);

const bench = (...args: string[]) => run(process.execPath, [main, ...args]);

/** Scenarios of the same kind have one here: `npm run bench -- check` runs all. */
const kinds = [
  ...['lines-64', 'length-prefixed-64', 'resp', 'receive', 'relay', 'send-file', 'save-to', 'forwarder', 'echo-bulk'],
  ...['ping-pong', 'echo-server', 'writes-100', 'answer-lines', 'reader', 'for-await', 'connections', 'idle-unix'],
  ...['fairness', 'receive-tls', 'udp', 'redis', 'import'],
];

test('every contender of every kind of scenario counts right', async () => {
  const { stdout, stderr, exited } = await bench('check', '--only', ...kinds);

  expect({ stderr, code: await exited }).toEqual({ stderr: '', code: 0 });
  const lines = stdout.trimEnd().split('\n');
  for (const line of lines) expect(line).toMatch(/^[\w-]+: .+ (did [1-9]\d* with|is left out: it needs \S+$)/);
  // Not the compiler: without it the peers run on Node.
  if (process.env.RXSOCK_PROGRAMS === 'required') expect(stdout).not.toMatch(/it needs (?!cc$)/m);
});

test('peers on Node do what those in C do', async () => {
  const names = ['resp', 'send-unix'];

  const { stdout, stderr, exited } = await bench('check', '--peers', 'node', '--only', ...names);

  expect({ stderr, code: await exited }).toEqual({ stderr: '', code: 0 });
  expect(stdout).toMatch(/^resp: .* with blast \(Node\)$/m);
  expect(stdout).not.toContain('(C)');
});

test('measurements are written as JSON, drawn as charts, and put into a document', async () => {
  const folder = await testFolder();
  const json = join(folder, 'results.json');
  const small = ['--rounds', '1', '--scale', '0.001', '--only', 'send-tcp', 'growth-subscribers'];

  const measured = await bench(...small, '--json', json);

  expect(await measured.exited).toBe(0);
  expect(measured.stdout).toMatch(/^goal: next\(\), rate ≥ 0\.97 × the baseline: /m);
  const { node, scenarios, growth } = JSON.parse(readFileSync(json, 'utf8'));
  expect(node).toBe(process.version);
  expect(scenarios[0]).toMatchObject({ name: 'send-tcp', goals: [{ contender: 'next()', atLeast: 0.97 }] });
  expect(growth[0].points).toHaveLength(7);

  const drawn = await bench('charts', json, folder);

  expect(await drawn.exited).toBe(0);
  expect(drawn.stdout).toBe('send-tcp.svg\ngoals.svg\ngrowth.svg\n');
  expect(readFileSync(join(folder, 'send-tcp.svg'), 'utf8')).toMatch(/^<svg .*next\(\)/s);

  const document = join(folder, 'performance.md');
  const mark = '<!-- Written by `npm run bench -- document`. -->';
  writeFileSync(document, `# Performance\n\n${mark}\nold\n`);

  const written = await bench('document', document, json);

  expect(await written.exited).toBe(0);
  const text = readFileSync(document, 'utf8');
  expect(text).toMatch(new RegExp(`^# Performance\n\n${mark}\n\n## Goals on Node `));
  expect(text).not.toContain('old');
  expect(text).toMatch(/^\| send-tcp \| next\(\), rate ≥ 0\.97 × the baseline \| [\d.]+ \| (\*\*missed\*\*)? ?\|$/m);
  expect(text).toMatch(/^\| growth-subscribers \| exponent ≤ 1\.1 \| /m);
  expect(text).toMatch(/^### send-tcp\n\nEach contender writes .*\.\n\n\| {2}\| MB\/s \| range \|/m);

  const refused = await bench('document', json, json);

  expect(refused.stderr).toContain('has no line <!-- Written by');
  expect(await refused.exited).toBe(1);
});

test('what piles up without backpressure is recorded and drawn', async () => {
  const file = join(await testFolder(), 'backpressure.svg');

  const { stderr, exited } = await bench('backpressure', file, '--seconds', '0.5');

  expect({ stderr, code: await exited }).toEqual({ stderr: '', code: 0 });
  expect(readFileSync(file, 'utf8')).toMatch(/^<svg .*concatMap.*mapWithBackpressure/s);
});
