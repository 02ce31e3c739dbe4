// npm run bench: runs the scenarios, and prints a table for each.
import os from 'node:os';
import { Command, Option } from 'commander';
import { positive } from './positive.js';
import { number, report } from './report.js';
import { amountOf, run } from './run.js';
import { scenarios } from './scenarios/index.js';

const names = scenarios.map(({ name }) => name);

interface Options {
  readonly rounds: number;
  readonly scale: number;
  readonly only: readonly string[];
  readonly profile: string | undefined;
}

const { rounds, scale, only, profile } = new Command('npm run bench --')
  .description('Compares rxsock with what people use without it, over loopback.')
  .addOption(new Option('--only <scenarios...>', 'run only these').choices(names).default(names, 'all'))
  .option('--rounds <n>', 'how many times each contender runs, in turn with the others', positive, 5)
  .option('--scale <factor>', 'multiplies what one measurement does; 0.1 gives a quick look', positive, 1)
  .option(
    '--profile <folder>',
    'write CPU profiles of the measured processes there; the numbers of that run are not valid',
  )
  .parse()
  .opts<Options>();

const cpu = os.cpus()[0]?.model ?? 'unknown CPU';
console.log(`Node ${process.version}, ${os.platform()} ${os.release()}, ${os.cpus().length} × ${cpu}, loopback`);

for (const scenario of scenarios.filter(({ name }) => only.includes(name))) {
  const amount = amountOf(scenario, scale);
  console.log(`\n${scenario.name}: ${scenario.about}`);
  const outcomes = await run(scenario, {
    rounds,
    scale,
    profile,
    onMeasured: (round, contender, { seconds }) => {
      const rate = number(amount / seconds / scenario.rate.amount);
      console.error(`  ${round}/${rounds} ${contender}: ${rate} ${scenario.rate.label}`);
    },
  });
  console.log(report(scenario, outcomes, scale));
}
