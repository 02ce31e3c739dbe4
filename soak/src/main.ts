// npm run soak: runs one scenario, prints what it has found, and fails if an invariant is broken.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { budget } from './budget/index.js';
import { cycles } from './cycles/index.js';
import { hold } from './hold/index.js';
import { reconnect } from './reconnect/index.js';
import { relay } from './relay/index.js';
import { passed, report } from './report.js';
import { MachineLimitError, type RunOptions, type Scenario } from './scenario.js';

const scenarios: readonly Scenario[] = [hold, cycles, relay, reconnect, budget];

const program = new Command('npm run soak --')
  .description(
    'Runs rxsock for a long time, or with a lot to do, and checks that nothing is wrong, lost or left behind.',
  )
  .addArgument(new Argument('<scenario>', 'what to run').choices(scenarios.map(({ name }) => name)))
  .option('--scale <factor>', 'multiplies what the scenario does; 0.001 gives a quick look', positive, 1)
  .option('--seed <number>', 'repeats the random choices of an earlier run', wholeNumber, Date.now() % 1e6)
  .addHelpText('after', `\nScenarios:\n${scenarios.map(({ name, about }) => `  ${name}: ${about}`).join('\n')}`)
  .parse();

const scenario = scenarios.find(({ name }) => name === program.args[0]) as Scenario;
const options = program.opts<RunOptions>();
const cpu = os.cpus()[0]?.model ?? 'unknown CPU';
console.log(`Node ${process.version}, ${os.platform()} ${os.release()}, ${os.cpus().length} × ${cpu}`);
console.log(`${scenario.name}: ${scenario.about}; --scale ${options.scale} --seed ${options.seed}`);

// The first child process and the first stream each open a descriptor that Node keeps.
const child = spawn(process.execPath, ['--version']);
child.stdout.resume();
await once(child, 'close');

try {
  for await (const reports of scenario.run(options)) {
    console.log(report(reports));
    if (!passed(reports)) process.exitCode = 1;
  }
  console.log(process.exitCode ? 'FAILED' : 'PASSED');
} catch (error) {
  if (!(error instanceof MachineLimitError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('It must be a number greater than 0.');
  return value;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of at most nine digits.');
  return Number(text);
}
