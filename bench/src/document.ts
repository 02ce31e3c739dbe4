// Writes the results of a run into a Markdown document.
import { readFile, writeFile } from 'node:fs/promises';
import { MOST as MOST_GROWTH } from './growth/run.js';
import { contentOf, describeGoal, number } from './report.js';
import type { Results, ScenarioResult } from './results.js';
import { MOST as MOST_BYTES, SIZE_GOAL, sizeOfCore } from './size.js';

/** Everything behind this line of the document is written here. */
const MARK = '<!-- Written by `npm run bench -- document`. -->\n';

/** Reads what --json wrote, of one run or more, and replaces the tables of a document. */
export async function writeDocument(documentFile: string, resultsFiles: readonly string[]): Promise<void> {
  const [before, after] = (await readFile(documentFile, 'utf8')).split(MARK);
  if (after === undefined) throw new Error(`${documentFile} has no line ${MARK}`);
  const runs = await Promise.all(resultsFiles.map(async (file) => JSON.parse(await readFile(file, 'utf8')) as Results));
  await writeFile(documentFile, `${before}${MARK}\n${runs.flatMap(sectionsOf).join('\n\n')}\n`);
}

function sectionsOf(results: Results): string[] {
  const { host, system, cpus, cpu, date, rounds, scale, scenarios } = results;
  const runtime = `${host.name === 'node' ? 'Node' : 'Bun'} ${host.version.replace(/^v/, '')}`;
  const amount = scale === 1 ? '' : `, ${scale} of the usual amounts`;
  return [
    `## Goals on ${runtime}`,
    `${date.slice(0, 10)}, ${system}, ${cpus} × ${cpu}, loopback. Medians of ${rounds} rounds${amount}.`,
    table(['scenario', 'goal', 'measured', ''], goalsOf(results)),
    `## Scenarios on ${runtime}`,
    ...scenarios.flatMap(sectionOf),
  ];
}

/** A row for each goal: its scenario, what should be, what is, and whether that is enough. */
function goalsOf({ scenarios, growth, sizes }: Results): string[][] {
  const ratios = scenarios.flatMap(({ name, goals }) =>
    goals.map((goal) => [name, describeGoal(goal), goal.ratio?.toFixed(2) ?? 'not measured', missed(goal.met)]),
  );
  const exponents = growth.map(({ name, exponent, lastExponent }) => {
    const measured = `${exponent.toFixed(2)}, over the last decade ${lastExponent.toFixed(2)}`;
    const met = Math.max(exponent, lastExponent) <= MOST_GROWTH;
    return [name, `exponent ≤ ${MOST_GROWTH}`, measured, missed(met)];
  });
  if (sizes.length === 0) return [...ratios, ...exponents];
  const core = sizeOfCore(sizes);
  const size = ['installed-size', SIZE_GOAL, `${number(core / 1e6)} MB`, missed(core <= MOST_BYTES)];
  return [...ratios, ...exponents, size];
}

function missed(met: boolean | undefined): string {
  return met === false ? '**missed**' : '';
}

function sectionOf(scenario: ScenarioResult): string[] {
  const { head, rows } = contentOf(scenario);
  const lines = rows.map(({ contender, cells, reason = '' }) => [contender, ...(cells ?? [reason])]);
  return [`### ${scenario.name}`, `Each contender ${scenario.about}.`, table(['', ...head], lines)];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
