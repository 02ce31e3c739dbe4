// Makes measurements. This is a separate process, so that no contender runs with the heap and the compiled code of
// another. run.ts starts it with a request as its argument, and receives the results as messages.
import { Peer } from './peer.js';
import { amountOf, type Job, type Measurement, type Scenario } from './scenario.js';
import { scenarios } from './scenarios/index.js';

/** What a contender has to do. */
export interface Task {
  readonly scenario: string;
  readonly contender: string;
  readonly amount: number;
  readonly path: string;
}

/** What to measure. */
export interface Request {
  /** One, unless only the counts matter. */
  readonly tasks: readonly Task[];
  /** The peer that is compiled from C; `undefined` for peers on Node only. */
  readonly native: string | undefined;
  /** The program of Node, for peers: this process may be of another runtime. */
  readonly node: string;
  /** Whether to do a part of the job first without measuring it. */
  readonly warm: boolean;
}

/** A message to the parent: a task is done. */
export interface Measured {
  readonly task: Task;
  readonly measurement: Measurement;
  /** What its peers are: their roles, and what they are made of. */
  readonly peers: readonly string[];
}

/** The part of the job that runs first, so that the code is compiled. */
const WARM_UP = 1 / 8;

// Also when the parent is gone.
process.on('disconnect', () => process.exit());

const { tasks, native, node, warm }: Request = JSON.parse(process.argv[2] ?? '');
for (const task of tasks) {
  const scenario = scenarios.find(({ name }) => name === task.scenario);
  if (!scenario) throw new Error(`There is no scenario ${task.scenario}`);
  const { step = 1, warmUp = WARM_UP } = scenario;
  if (warm) await runJob(scenario, { ...task, amount: amountOf({ amount: task.amount, step }, warmUp) });
  process.send?.({ task, ...(await runJob(scenario, task)) } satisfies Measured);
}
process.disconnect();

async function runJob({ peer, second, contenders }: Scenario, task: Task): Promise<Omit<Measured, 'task'>> {
  const { scenario, contender, amount, path } = task;
  const run = contenders[contender];
  if (!run) throw new Error(`The scenario ${scenario} has no contender ${contender}`);
  const peers = await Promise.all(
    [peer, second].flatMap((options) => (options ? [Peer.start(options(amount), node, native)] : [])),
  );
  const cpu = process.cpuUsage();
  const start = performance.now();
  const own = await run({ amount, peer: peers[0], second: peers[1], path, native } as Job);
  const seconds = (performance.now() - start) / 1e3;
  const { user, system } = process.cpuUsage(cpu);
  await Promise.all(peers.map((each) => each.stop()));
  const rss = process.resourceUsage().maxRSS * 1024;
  const measurement = { seconds, cpu: (user + system) / 1e6, rss, ...own };
  return { measurement, peers: peers.map(({ name }) => name) };
}
