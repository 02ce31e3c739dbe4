// Makes one measurement. This is a separate process, so that no contender runs with the heap and the compiled code of
// another. run.ts starts it with a request as its argument, and receives the result as a message.
import { Peer } from './peer.js';
import { scenarios } from './scenarios/index.js';

/** What to measure. */
export interface Request {
  readonly scenario: string;
  readonly contender: string;
  readonly amount: number;
  readonly path: string;
}

/** The result. */
export interface Measurement {
  readonly seconds: number;
  /** User and system CPU time of this process, without the peer, in seconds. */
  readonly cpu: number;
  /** The largest resident memory, in bytes. */
  readonly rss: number;
}

/** The part of the job that runs first and is not measured, so that the code is compiled. */
const WARM_UP = 1 / 8;

const request: Request = JSON.parse(process.argv[2] ?? '');
await runJob(Math.ceil(request.amount * WARM_UP));
process.send?.(await runJob(request.amount));
process.disconnect();

async function runJob(amount: number): Promise<Measurement> {
  const scenario = scenarios.find(({ name }) => name === request.scenario);
  const contender = scenario?.contenders[request.contender];
  if (!scenario || !contender)
    throw new Error(`The scenario ${request.scenario} has no contender ${request.contender}`);
  const peer = await Peer.start(scenario.peer(amount));
  const cpu = process.cpuUsage();
  const start = performance.now();
  await contender({ amount, peer, path: request.path });
  const seconds = (performance.now() - start) / 1e3;
  const { user, system } = process.cpuUsage(cpu);
  peer.stop();
  return { seconds, cpu: (user + system) / 1e6, rss: process.resourceUsage().maxRSS * 1024 };
}
