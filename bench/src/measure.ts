// One measurement, in a process of its own: no contender runs in memory and code that another has warmed or worn.
// Started by run.ts with a request as its argument; answers with a message.
import { Peer } from './peer.js';
import { scenarios } from './scenarios/index.js';

/** What is to be measured. */
export interface Request {
  readonly scenario: string;
  readonly contender: string;
  readonly amount: number;
  readonly path: string;
}

/** What came out. */
export interface Measurement {
  readonly seconds: number;
  /** CPU time of this process alone, user and system, in seconds. */
  readonly cpu: number;
  /** The most memory that was resident, in bytes. */
  readonly rss: number;
}

/** A first, unmeasured job, so that the compiler has seen the code, is this part of the whole. */
const WARM_UP = 1 / 8;

const request: Request = JSON.parse(process.argv[2] ?? '');
await job(Math.ceil(request.amount * WARM_UP));
process.send?.(await job(request.amount));
process.disconnect();

async function job(amount: number): Promise<Measurement> {
  const scenario = scenarios.find(({ name }) => name === request.scenario);
  const contender = scenario?.contenders[request.contender];
  if (!scenario || !contender) throw new Error(`There is no ${request.contender} in ${request.scenario}`);
  const peer = await Peer.start(scenario.peer(amount));
  const cpu = process.cpuUsage();
  const start = performance.now();
  await contender({ amount, peer, path: request.path });
  const seconds = (performance.now() - start) / 1e3;
  const { user, system } = process.cpuUsage(cpu);
  peer.stop();
  return { seconds, cpu: (user + system) / 1e6, rss: process.resourceUsage().maxRSS * 1024 };
}
