// Runs the same tests on every runtime, which npx downloads, and prints what holds where: npm run runtimes -- [--timeout 30] [deno …]
//
// The compliance suite and the properties run inside the runtime, without vitest: see lib/bundle-tests.mjs. The tour and
// the examples are programs: their tests run on this Node, and start them on the runtime. Without names, all runtimes
// are tried, and the result goes into docs/runtimes.md.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleTests } from './lib/bundle-tests.mjs';
import { root } from './lib/packages.mjs';
import { runTests } from './lib/run-tests.mjs';
import { download, runtimeNames } from './lib/runtimes.mjs';

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  // How long a test inside a runtime may take, in seconds.
  options: { timeout: { type: 'string', default: '30' } },
});

const DOCUMENT = join(root, 'docs', 'runtimes.md');
/** Everything behind this line of the document is written here. */
const MARK = '<!-- Written by `npm run runtimes`. -->\n';
/** Of what runs inside a runtime. */
const environment = {
  // How often each property is tried.
  RXSOCK_RUNS: '30',
  RXSOCK_TEST_TIMEOUT: String(Number(values.timeout) * 1000),
};
/** The tests of the programs compare what is printed. The warnings of a runtime are in the document. */
const NO_WARNINGS = { NODE_NO_WARNINGS: '1' };
/** How long the programs of a runtime may take together, in milliseconds. */
const PROGRAMS_TIMEOUT = 30 * 60_000;

const properties = readdirSync(join(root, 'tests/properties')).filter((name) => name.endsWith('.test.ts'));
/** What runs inside the runtime: the test files of each row of the table. */
const suites = [
  ['TCP', ['tests/compliance/tcp.test.ts']],
  ['TLS 1.2', ['tests/compliance/tls12.test.ts']],
  ['TLS 1.3', ['tests/compliance/tls13.test.ts']],
  ['UNIX', ['tests/compliance/unix.test.ts']],
  ['pair in memory', ['tests/compliance/pair.test.ts']],
  ['UDP', ['packages/udp/test/socket/events.test.ts', 'packages/udp/test/socket/closing.test.ts']],
  ['a reset is not an end', ['packages/core/test/wire/resets.test.ts']],
  ['a TLS cut is not an end', ['packages/tls/test/closing/truncation.test.ts']],
  ['properties', properties.map((name) => `tests/properties/${name}`)],
];

/** Runs what runs inside the runtime. Returns the tests of each suite. */
async function runInside({ command }, { runner, bundles }) {
  const results = [];
  for (const [title, files] of suites) {
    const tests = [];
    for (const file of files) tests.push(...(await runTests(command, runner, bundles.get(file), environment)));
    results.push({ title, tests });
    report(title, tests);
  }
  return results;
}

/** Runs the tests of the tour and of the examples, whose programs run on the runtime. */
function runPrograms({ command }) {
  const folder = mkdtempSync(join(tmpdir(), 'rxsock-runtimes-'));
  try {
    const output = join(folder, 'results.json');
    const env = { ...process.env, RXSOCK_RUNTIME: JSON.stringify(command), ...NO_WARNINGS };
    const args = ['run', '--project', 'examples', '--reporter', 'json', '--outputFile', output];
    const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), ...args];
    spawnSync(process.execPath, vitest, { cwd: root, env, stdio: 'ignore', timeout: PROGRAMS_TIMEOUT });
    if (!existsSync(output)) {
      const failure = `they did not end within ${PROGRAMS_TIMEOUT / 60_000} minutes`;
      return ['tour', 'examples'].map((title) => ({ title, tests: [{ name: 'all programs', failure }] }));
    }
    const files = JSON.parse(readFileSync(output, 'utf8')).testResults;
    const isTour = ({ name }) => name.endsWith('tour.test.ts');
    const testsOf = (chosen) =>
      chosen
        .flatMap(({ assertionResults }) => assertionResults)
        .filter(({ status }) => status === 'passed' || status === 'failed')
        .map(({ ancestorTitles, title, failureMessages: [failure] }) => ({
          name: [...ancestorTitles, title].join(' > '),
          failure,
        }));
    return [
      { title: 'tour', tests: testsOf(files.filter(isTour)) },
      { title: 'examples', tests: testsOf(files.filter((file) => !isTour(file))) },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const failuresOf = (tests) => tests.filter(({ failure }) => failure);

function report(title, tests) {
  const failures = failuresOf(tests);
  console.error(`  ${title}: ${tests.length - failures.length} of ${tests.length}`);
  for (const { name, failure } of failures)
    console.error(`    ✗ ${name}\n      ${failure.split('\n')[0].slice(0, 300)}`);
}

async function tryRuntime(name, bundled) {
  const runtime = download(name);
  console.error(`\n${runtime.title}`);
  const inside = await runInside(runtime, bundled);
  const programs = runPrograms(runtime);
  for (const { title, tests } of programs) report(title, tests);
  return { title: runtime.title, results: [...inside, ...programs] };
}

/** The case that ends the name of a test: the list names a test once. */
const CASE = /(: [^:]*, TLSv1\.\d| \((dialled|accepted)\))$/;

/** The table, and the tests that failed. */
function pageOf(tried) {
  const row = (cells) => `| ${cells.join(' | ')} |`;
  const cell = (tests = []) => {
    const failed = failuresOf(tests).length;
    return failed === 0 ? `✓ ${tests.length}` : `✗ ${tests.length - failed} of ${tests.length}`;
  };
  const titles = tried[0].results.map(({ title }) => title);
  const table = [
    row(['', ...tried.map(({ title }) => title)]),
    row(['---', ...tried.map(() => '---')]),
    ...titles.map((title, at) => row([title, ...tried.map(({ results }) => cell(results[at].tests))])),
  ];
  const failed = tried.flatMap(({ title, results }) => {
    const lines = results.flatMap((suite) =>
      failuresOf(suite.tests).map(({ name }) => `- ${suite.title}: ${name.replace(CASE, '').replaceAll(' > ', ': ')}`),
    );
    return lines.length ? [`\n### Failed on ${title}\n`, ...new Set(lines)] : [];
  });
  return [...table, ...failed, ''].join('\n');
}

const bundled = await bundleTests(suites.flatMap(([, files]) => files));
const tried = [];
try {
  for (const name of names.length ? names : runtimeNames) tried.push(await tryRuntime(name, bundled));
} finally {
  bundled.remove();
}
const page = pageOf(tried);
console.log(page);
if (names.length === 0) {
  const [before] = readFileSync(DOCUMENT, 'utf8').split(MARK);
  writeFileSync(DOCUMENT, `${before}${MARK}\n${page}`);
}
