// Measures one subject at all sizes, in a process of its own: see run.ts beside it.
import { Peer } from '../peer.js';
import type { Job } from '../scenario.js';
import type { Point } from './subject.js';
import { subjects } from './subjects.js';

/** What to measure. */
export interface Request {
  readonly subject: string;
  readonly sizes: readonly number[];
  /** How often each size is measured. The least counts: other programs and the garbage collector only add to it. */
  readonly repeats: number;
  /** The peer that is compiled from C; `undefined` for peers on Node only. */
  readonly native: string | undefined;
}

// Also when the parent is gone.
process.on('disconnect', () => process.exit());

const { subject: name, sizes, repeats, native }: Request = JSON.parse(process.argv[2] ?? '');
const subject = subjects.find((each) => each.name === name);
if (!subject) throw new Error(`There is no ${name}`);
const { peer: peerFor, run } = subject;

// The code is compiled before the small sizes are measured.
for (let n = 0; n < 3; n++) await costOf(sizes[Math.floor(sizes.length / 2)] as number);
for (const size of sizes) {
  const costs: number[] = [];
  for (let n = 0; n < repeats; n++) costs.push(await costOf(size));
  process.send?.({ size, cpu: Math.min(...costs) } satisfies Point);
}
process.disconnect();

async function costOf(size: number): Promise<number> {
  const peer = peerFor ? await Peer.start(peerFor(size), process.execPath, native) : undefined;
  const before = process.cpuUsage();
  await run({ amount: size, peer } as Job);
  const { user, system } = process.cpuUsage(before);
  await peer?.stop();
  return (user + system) / 1e6;
}
