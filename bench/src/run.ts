// Runs the contenders of a scenario in turn, round after round, so that other work of the machine affects all of them.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Measurement, Request } from './measure.js';
import type { Scenario } from './scenario.js';

/** The measurements of one contender, one for each round. */
export interface Outcome {
  readonly contender: string;
  readonly measurements: readonly Measurement[];
}

export interface RunOptions {
  readonly rounds: number;
  /** The amount of the scenario is multiplied by this. */
  readonly scale: number;
  /** The folder for the CPU profiles of the measured processes; `undefined` for no profiles. */
  readonly profile: string | undefined;
  /** Called after every measurement. */
  readonly onMeasured: (round: number, contender: string, measurement: Measurement) => void;
}

export async function run(
  scenario: Scenario,
  { rounds, scale, profile, onMeasured }: RunOptions,
): Promise<readonly Outcome[]> {
  const amount = amountOf(scenario, scale);
  const fixture = await scenario.fixture?.(amount);
  const outcomes = Object.keys(scenario.contenders).map((contender) => ({
    contender,
    measurements: [] as Measurement[],
  }));
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const { contender, measurements } of outcomes) {
        const request = { scenario: scenario.name, contender, amount, path: fixture?.path ?? '' };
        const measurement = await measure(request, profile);
        measurements.push(measurement);
        onMeasured(round, contender, measurement);
      }
    }
  } finally {
    await fixture?.remove();
  }
  return outcomes;
}

/** How much one measurement does. */
export function amountOf(scenario: Scenario, scale: number): number {
  return Math.max(1, Math.round(scenario.amount * scale));
}

async function measure(request: Request, profile: string | undefined): Promise<Measurement> {
  const execArgv = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const child = fork(new URL('./measure.js', import.meta.url), [JSON.stringify(request)], { execArgv });
  let measurement: Measurement | undefined;
  child.on('message', (message) => {
    measurement = message as Measurement;
  });
  const [code] = await once(child, 'exit');
  if (code !== 0 || !measurement) throw new Error(`${request.contender} of ${request.scenario} failed (exit ${code})`);
  return measurement;
}
