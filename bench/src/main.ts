// npm run bench: runs the scenarios, and prints a table for each.
import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { writeDocument } from './document.js';
import { compare } from './goals.js';
import { reportGrowth, runGrowth } from './growth/run.js';
import { subjects } from './growth/subjects.js';
import { findHost, type HostName } from './host.js';
import { machine } from './machine.js';
import { compileNative } from './native.js';
import { positive } from './positive.js';
import { number, report, reportGoals } from './report.js';
import type { Results, ScenarioResult } from './results.js';
import { check, type RunOptions, run } from './run.js';
import { amountOf, type Scenario } from './scenario.js';
import { scenarios } from './scenarios/index.js';
import { installedSizes, reportSizes } from './size.js';

const INSTALLED_SIZE = 'installed-size';

interface Options {
  readonly rounds: number;
  readonly scale: number;
  readonly only: readonly string[];
  readonly peers: 'c' | 'node';
  readonly host: HostName;
  readonly profile: string | undefined;
  readonly json: string | undefined;
}

const program = new Command('npm run bench --')
  .description('Compares rxsock with what people use without it, over loopback.')
  // The commands have options of the same names.
  .enablePositionalOptions()
  .addOption(only([...[...scenarios, ...subjects].map(({ name }) => name), INSTALLED_SIZE]))
  .option('--rounds <n>', 'how many times each contender runs, in turn with the others', positive, 5)
  .option('--scale <factor>', 'multiplies what one measurement does; 0.1 gives a quick look', positive, 1)
  .addOption(peers())
  .addOption(new Option('--host <runtime>', 'what runs the contenders').choices(['node', 'bun']).default('node'))
  .option('--json <file>', 'write all measurements there')
  .option(
    '--profile <folder>',
    'write CPU profiles of the measured processes there; the numbers of that run are not valid',
  )
  .action(bench);

program
  .command('check')
  .description('Checks that all contenders count right: runs each once, small, without measuring it.')
  .addOption(only(scenarios.map(({ name }) => name)))
  .option('--scale <factor>', 'multiplies what each of them does', positive, 0.001)
  .addOption(peers())
  .action(async (options: Pick<Options, 'only' | 'scale' | 'peers'>) => {
    const lines = await check(chosen(options.only), options.scale, nativeOf(options.peers));
    for (const line of lines) console.log(line);
  });

program
  .command('charts')
  .description('Draws the measurements as SVG files.')
  .argument('<results>', 'what --json has written')
  .argument('<folder>', 'where to put the files')
  .action(async (file: string, folder: string) => {
    const { drawCharts } = await import('./charts.js');
    for (const name of await drawCharts(file, folder)) console.log(name);
  });

program
  .command('backpressure')
  .description('Records what waits in a process whose peer is too fast, with backpressure and without, and draws it.')
  .argument('<file>', 'the SVG file')
  .option('--seconds <n>', 'how long each of the two runs takes', positive, 5)
  .action(async (file: string, { seconds }: { seconds: number }) => {
    const { drawPileUp } = await import('./charts.js');
    await drawPileUp(file, seconds);
  });

program
  .command('document')
  .description('Writes the measurements into a document, in place of those that it has.')
  .argument('<document>', 'a Markdown file')
  .argument('<results...>', 'what --json has written; more than one, if there were runs on several runtimes')
  .action(writeDocument);

function only(names: readonly string[]): Option {
  return new Option('--only <names...>', 'run only these').choices(names).default(names, 'all');
}

function peers(): Option {
  return new Option('--peers <language>', 'what sends and receives where Node would be the limit')
    .choices(['c', 'node'])
    .default('c', 'C if there is a compiler');
}

function nativeOf(language: Options['peers']): string | undefined {
  return language === 'c' ? compileNative() : undefined;
}

function chosen(names: readonly string[]): readonly Scenario[] {
  return scenarios.filter(({ name }) => names.includes(name));
}

async function bench({ rounds, scale, only: names, profile, json, ...options }: Options): Promise<void> {
  const host = findHost(options.host);
  const { name: runtime, version } = host;
  const results: Results = {
    ...machine(),
    host: { name: runtime, version },
    rounds,
    scale,
    scenarios: [],
    growth: [],
    sizes: [],
  };
  const save = async () => {
    if (json !== undefined) await writeFile(json, `${JSON.stringify(results, undefined, 2)}\n`);
  };
  console.log(`${runtime} ${version}, ${results.system}, ${results.cpus} × ${results.cpu}, loopback`);
  const native = nativeOf(options.peers);
  for (const scenario of chosen(names)) {
    results.scenarios.push(await benchScenario(scenario, { rounds, scale, host, native, profile }));
    await save();
  }
  // Growth and sizes are of Node.
  if (host.name !== 'node') return;
  for (const subject of subjects.filter(({ name }) => names.includes(name))) {
    console.log(`\n${subject.name}: what ever more ${subject.about} cost`);
    const growth = await runGrowth(subject, { scale, repeats: rounds, native });
    console.log(reportGrowth(growth));
    results.growth.push(growth);
    await save();
  }
  if (!names.includes(INSTALLED_SIZE)) return;
  console.log(`\n${INSTALLED_SIZE}: what npm unpacks of each package, without its dependencies`);
  results.sizes.push(...(await installedSizes()));
  console.log(reportSizes(results.sizes));
  await save();
}

async function benchScenario(scenario: Scenario, options: Omit<RunOptions, 'onMeasured'>): Promise<ScenarioResult> {
  const { name, about, rate, cost, goals } = scenario;
  const amount = amountOf(scenario, options.scale);
  console.log(`\n${name}: ${about}`);
  const outcomes = await run(scenario, {
    ...options,
    onMeasured: (round, contender, { seconds }) => {
      const speed = number(amount / seconds / rate.amount);
      console.error(`  ${round}/${options.rounds} ${contender}: ${speed} ${rate.label}`);
    },
  });
  const reached = compare(goals, outcomes.outcomes);
  const result = { name, about, amount, rate, cost, ...outcomes, goals: reached };
  console.log(report(result));
  console.log(reportGoals(reached));
  return result;
}

await program.parseAsync();
