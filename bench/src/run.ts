// Runs the contenders of a scenario in turn, round after round, so that other work of the machine affects all of them.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import type { Host } from './host.js';
import type { Measured, Request, Task } from './measure.js';
import { findProgram } from './programs.js';
import { amountOf, type Measurement, type Scenario } from './scenario.js';

/** The measurements of one contender, one for each round. */
export interface Outcome {
  readonly contender: string;
  readonly measurements: Measurement[];
  /** The program, or the system, that it needs and that is not here. */
  readonly missing?: string;
  /** The runtime that it fails on. Node is none: there a failure ends the run. */
  failsOn?: string;
}

/** What all measurements of a scenario gave. */
export interface Outcomes {
  readonly outcomes: readonly Outcome[];
  /** What the peers are: their roles, and what they are made of. */
  readonly peers: readonly string[];
}

export interface RunOptions {
  readonly rounds: number;
  /** The amount of the scenario is multiplied by this. */
  readonly scale: number;
  /** The runtime of the measured processes. */
  readonly host: Host;
  /** The peer that is compiled from C; `undefined` for peers on Node only. */
  readonly native: string | undefined;
  /** The folder for the CPU profiles of the measured processes; `undefined` for no profiles. */
  readonly profile: string | undefined;
  /** Called after every measurement. */
  readonly onMeasured: (round: number, contender: string, measurement: Measurement) => void;
}

/** After this time a measurement has failed, in milliseconds. */
const LIMIT = 3 * 60_000;

/**
 * As in a program that has run for a while. A new one has a small heap, which V8 marks again and again because of the
 * received bytes: ten times or forty, as luck has it.
 */
const NODE_MEMORY = ['--initial-old-space-size=256'];

/** glibc keeps what is freed. It may give it back to the kernel at once, or not, again as luck has it. */
const C_MEMORY = { MALLOC_TRIM_THRESHOLD_: '1000000000', MALLOC_TOP_PAD_: '67108864' };

export async function run(scenario: Scenario, options: RunOptions): Promise<Outcomes> {
  const { rounds, scale, host, native, profile, onMeasured } = options;
  const outcomes = Object.keys(scenario.contenders).map((contender): Outcome => {
    const missing = missingProgram(scenario, contender, native);
    return { contender, measurements: [], ...(missing !== undefined && { missing }) };
  });
  const peers = new Set<string>();
  const { tasks, remove } = await prepare(scenario, scale, native);
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const task of tasks) {
        const { contender } = task;
        const outcome = outcomes.find((each) => each.contender === contender);
        if (outcome?.failsOn) continue;
        const request = { tasks: [task], native, node: process.execPath, warm: true };
        const measuring = measure(request, { host: host.path, profile }, ({ measurement, peers: used }) => {
          outcome?.measurements.push(measurement);
          for (const peer of used) peers.add(peer);
          onMeasured(round, contender, measurement);
        });
        await measuring.catch((error) => {
          if (host.name === 'node' || !outcome) throw error;
          outcome.failsOn = host.name;
          outcome.measurements.length = 0;
        });
      }
    }
  } finally {
    await remove();
  }
  return { outcomes, peers: [...peers] };
}

/**
 * Runs each contender once, small, many of them in one process and several at the same time. The speeds mean nothing.
 * @returns What was done, or what is missing, for each contender.
 */
export async function check(scenarios: readonly Scenario[], scale: number, native?: string): Promise<string[]> {
  const prepared = await Promise.all(scenarios.map((scenario) => prepare(scenario, scale, native)));
  const lines: string[] = [];
  try {
    const groups = Array.from({ length: availableParallelism() }, (_, group) =>
      prepared.filter((_, index) => index % availableParallelism() === group).flatMap(({ tasks }) => tasks),
    );
    await Promise.all(
      groups.map((tasks) =>
        measure({ tasks, native, node: process.execPath, warm: false }, {}, ({ task, peers }) => {
          lines.push(`${task.scenario}: ${task.contender} did ${task.amount} with ${peers.join(', ') || 'no peer'}`);
        }),
      ),
    );
  } finally {
    for (const { remove } of prepared) await remove();
  }
  for (const scenario of scenarios) {
    for (const contender of Object.keys(scenario.contenders)) {
      const missing = missingProgram(scenario, contender, native);
      if (missing !== undefined) lines.push(`${scenario.name}: ${contender} is left out: it needs ${missing}`);
    }
  }
  return lines;
}

/** The tasks of the contenders that can run here. @returns Also what removes their files. */
async function prepare(scenario: Scenario, scale: number, native: string | undefined) {
  const amount = amountOf(scenario, scale);
  const { path, remove } = (await scenario.fixture?.(amount)) ?? { path: '', remove: async () => {} };
  const contenders = Object.keys(scenario.contenders).filter((name) => !missingProgram(scenario, name, native));
  const tasks = contenders.map((contender): Task => ({ scenario: scenario.name, contender, amount, path }));
  return { tasks, remove };
}

/** What a contender needs and what is not here. */
function missingProgram({ needs }: Scenario, contender: string, native: string | undefined): string | undefined {
  const program = needs?.[contender];
  if (program === undefined) return undefined;
  // Only there is it known what a program costs.
  if (process.platform !== 'linux') return 'Linux';
  return (program === 'cc' ? native : findProgram(program)) === undefined ? program : undefined;
}

async function measure(
  request: Request,
  { host = process.execPath, profile }: { host?: string; profile?: string | undefined },
  onMeasured: (measured: Measured) => void,
): Promise<void> {
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const execArgv = host === process.execPath ? [...NODE_MEMORY, ...profiling] : profiling;
  const file = new URL('./measure.js', import.meta.url);
  const env = { ...process.env, ...C_MEMORY };
  const child = fork(file, [JSON.stringify(request)], { execPath: host, execArgv, env, timeout: LIMIT });
  let done = 0;
  child.on('message', (message) => {
    done++;
    onMeasured(message as Measured);
  });
  const [code, signal] = await once(child, 'exit');
  const failed = request.tasks[done];
  if (code !== 0 || failed) {
    throw new Error(`${failed?.contender} of ${failed?.scenario} failed (exit ${code ?? signal})`);
  }
}
