// npm run scale: measures the chat of examples/scale-out.ts in one process and in two, over Redis and over NATS.
import os from 'node:os';
import Table from 'cli-table3';
import { Command } from 'commander';
import { median } from 'simple-statistics';
import { positive } from '../positive.js';
import { NO_FRAME, number } from '../report.js';
import { connections, deliveries, roundTrips, type Work } from './load.js';
import { Chat, type Setup, setups, startBuses } from './setups.js';

const { rounds, milliseconds } = new Command('npm run scale --')
  .description('Compares one process with several. Needs Linux, redis-server and nats-server.')
  .option('--rounds <n>', 'how many times each setup runs, in turn with the others', positive, 5)
  .option('--milliseconds <n>', 'how long each load runs', positive, 2_000)
  .parse()
  .opts<{ readonly rounds: number; readonly milliseconds: number }>();

const loads = { connections, deliveries, 'round trips': roundTrips };

interface Measured extends Work {
  /** Of all processes of the chat, in seconds. */
  readonly cpu: number;
}

/** For each load, the measurements of each setup. */
const results = new Map(Object.keys(loads).map((load) => [load, new Map<Setup, Measured[]>()]));

await using buses = await startBuses();
for (let round = 1; round <= rounds; round++) {
  for (const setup of setups) {
    await using chat = await Chat.start(setup, buses.urls);
    for (const [name, load] of Object.entries(loads)) {
      await load(chat.port, milliseconds / 8);
      const before = chat.cpu();
      const work = await load(chat.port, milliseconds);
      const measured = results.get(name)?.get(setup) ?? [];
      results.get(name)?.set(setup, [...measured, { ...work, cpu: chat.cpu() - before }]);
      console.error(`  ${round}/${rounds} ${setup.name}: ${number(work.amount / work.seconds)} ${name}/s`);
    }
  }
}

const cpu = os.cpus()[0]?.model ?? 'unknown CPU';
console.log(
  `Node ${process.version}, ${os.platform()} ${os.release()}, ${os.cpus().length} × ${cpu}, ${rounds} rounds`,
);
for (const [load, bySetup] of results) {
  const table = new Table({
    head: [load, '1/s', 'range', 'ratio', 'CPU-µs each', 'CPU ratio', 'median ms', '99 % ms'],
    colAligns: ['left', ...Array<'right'>(7).fill('right')],
    style: { head: [], border: [], compact: true },
    chars: NO_FRAME,
  });
  const baseline = [...bySetup.values()][0] ?? [];
  /** A setup is compared with the first one in the same round. */
  const ratio = (measured: readonly Measured[], of: (each: Measured) => number) =>
    median(measured.map((each, round) => of(each) / of(baseline[round] as Measured))).toFixed(2);
  const rateOf = ({ amount, seconds }: Measured) => amount / seconds;
  const costOf = ({ amount, cpu: used }: Measured) => (used / amount) * 1e6;
  for (const [{ name }, measured] of bySetup) {
    const rates = measured.map(rateOf);
    const times = measured.flatMap((each) => each.times ?? []).sort((a, b) => a - b);
    const quantile = (part: number) => times[Math.floor(times.length * part)]?.toFixed(2) ?? '';
    table.push([
      name,
      number(median(rates)),
      `${number(Math.min(...rates))}–${number(Math.max(...rates))}`,
      ratio(measured, rateOf),
      number(median(measured.map(costOf))),
      ratio(measured, costOf),
      quantile(0.5),
      quantile(0.99),
    ]);
  }
  console.log(`\n${table}`);
}
