// npm run bench: runs the scenarios, and prints a table for each.
import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { compare } from './goals.js';
import { machine } from './machine.js';
import { compileNative } from './native.js';
import { positive } from './positive.js';
import { number, report, reportGoals } from './report.js';
import type { Results, ScenarioResult } from './results.js';
import { check, type RunOptions, run } from './run.js';
import { amountOf, type Scenario } from './scenario.js';
import { scenarios } from './scenarios/index.js';

const names = scenarios.map(({ name }) => name);

interface Options {
  readonly rounds: number;
  readonly scale: number;
  readonly only: readonly string[];
  readonly peers: 'c' | 'node';
  readonly profile: string | undefined;
  readonly json: string | undefined;
}

const program = new Command('npm run bench --')
  .description('Compares rxsock with what people use without it, over loopback.')
  .enablePositionalOptions()
  .addOption(only())
  .option('--rounds <n>', 'how many times each contender runs, in turn with the others', positive, 5)
  .option('--scale <factor>', 'multiplies what one measurement does; 0.1 gives a quick look', positive, 1)
  .addOption(
    new Option('--peers <language>', 'what sends and receives, where Node would be the limit')
      .choices(['c', 'node'])
      .default('c', 'C if there is a compiler'),
  )
  .option('--json <file>', 'write all measurements there')
  .option(
    '--profile <folder>',
    'write CPU profiles of the measured processes there; the numbers of that run are not valid',
  )
  .action(bench);

program
  .command('check')
  .description('Checks that all contenders count right: runs each once, small, without measuring it.')
  .addOption(only())
  .option('--scale <factor>', 'multiplies what each of them does', positive, 0.001)
  .action(async (options: Pick<Options, 'only' | 'scale'>) => {
    for (const line of await check(chosen(options.only), options.scale, compileNative())) console.log(line);
  });

function only(): Option {
  return new Option('--only <scenarios...>', 'run only these').choices(names).default(names, 'all');
}

function chosen(only: readonly string[]): readonly Scenario[] {
  return scenarios.filter(({ name }) => only.includes(name));
}

async function bench({ rounds, scale, only, peers, profile, json }: Options): Promise<void> {
  const results: Results = { ...machine(), rounds, scale, scenarios: [] };
  console.log(`Node ${results.node}, ${results.system}, ${results.cpus} × ${results.cpu}, loopback`);
  const native = peers === 'c' ? compileNative() : undefined;
  for (const scenario of chosen(only)) {
    const result = await measureScenario(scenario, { rounds, scale, native, profile });
    results.scenarios.push(result);
    if (json !== undefined) await writeFile(json, `${JSON.stringify(results, undefined, 2)}\n`);
  }
}

async function measureScenario(scenario: Scenario, options: Omit<RunOptions, 'onMeasured'>): Promise<ScenarioResult> {
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
  console.log(report(scenario, outcomes, amount));
  console.log(reportGoals(reached));
  return { name, about, amount, rate, cost, ...outcomes, goals: reached };
}

await program.parseAsync();
