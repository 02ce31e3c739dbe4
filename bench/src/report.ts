// Formats the measurements of a scenario as a table of medians over the rounds.
import Table from 'cli-table3';
import { median } from 'simple-statistics';
import { type Reached, ratioOf } from './goals.js';
import type { Outcomes } from './run.js';
import type { Measurement, Scenario } from './scenario.js';

/** No lines around the table. */
export const NO_FRAME = Object.fromEntries(
  ['top', 'bottom', 'left', 'right']
    .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .map((part) => [part, '']),
);

/** Makes a table whose first column has names, and the others numbers. */
export function tableOf(head: readonly string[]): Table.Table {
  return new Table({
    head: [...head],
    colAligns: head.map((_, index) => (index === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
    chars: NO_FRAME,
  });
}

export function report(result: TableSource): string {
  const { head, rows } = contentOf(result);
  const table = tableOf([result.name, ...head]);
  for (const { contender, cells, reason } of rows) {
    if (cells) table.push([contender, ...cells]);
    else table.push([contender, { content: reason, colSpan: head.length, hAlign: 'left' }]);
  }
  return result.peers.length === 0 ? `${table}` : `${table}\npeer: ${result.peers.join(', ')}`;
}

/** What a table is made of: a scenario, how much a measurement did, and what they gave. */
export type TableSource = Pick<Scenario, 'name' | 'rate' | 'cost'> & Outcomes & { readonly amount: number };

/** A line of a table: what was measured of a contender, or why nothing was. */
interface Row {
  readonly contender: string;
  readonly cells?: readonly string[];
  readonly reason?: string;
}

/** The content of a table of medians. Its first column, the contenders, has no head. */
export function contentOf({ amount, rate, cost, outcomes }: TableSource): { head: string[]; rows: Row[] } {
  const rateOf = ({ seconds }: Measurement) => amount / seconds / rate.amount;
  const all = outcomes.flatMap(({ measurements }) => measurements);
  // Few scenarios measure these.
  const extra = EXTRA.filter(({ of }) => all.some((measurement) => measurement[of] !== undefined));
  const extraHead = extra.flatMap(({ label }) => [label, 'ratio']);
  const head = [rate.label, 'range', 'ratio', cost.label, 'ratio', ...extraHead, 'max RSS'];
  const baseline = outcomes[0]?.measurements ?? [];
  const rows = outcomes.map(({ contender, measurements, missing, failsOn }): Row => {
    if (measurements.length === 0) {
      return { contender, reason: failsOn ? `fails on ${failsOn}` : `needs ${missing}` };
    }
    const medianOf = (value: (measurement: Measurement) => number) => median(measurements.map(value));
    const ratio = (of: Reached['of'] & string) => ratioOf(measurements, baseline, of)?.toFixed(2) ?? '';
    const rates = measurements.map(rateOf);
    const cells = [
      number(median(rates)),
      `${number(Math.min(...rates))}–${number(Math.max(...rates))}`,
      ratio('rate'),
      ((medianOf(({ cpu }) => cpu) / amount) * cost.amount).toFixed(2),
      ratio('cpu'),
      ...extra.flatMap(({ of, unit }) => [number(medianOf((each) => (each[of] ?? Number.NaN) / unit)), ratio(of)]),
      `${Math.round(medianOf(({ rss }) => rss) / 1e6)} MB`,
    ];
    return { contender, cells };
  });
  return { head, rows };
}

const EXTRA = [
  { of: 'p99', label: 'p99 ms', unit: 1 },
  { of: 'each', label: 'KB each', unit: 1024 },
] as const;

const NAMES = { rate: 'rate', cpu: 'CPU', rss: 'max RSS', p99: 'p99', each: 'memory each' };

/** A line for each goal: what should be, and what was measured. */
export function reportGoals(goals: readonly Reached[]): string {
  return goals.map((goal) => `goal: ${describeGoal(goal)}: ${describeReached(goal)}`).join('\n');
}

export function describeGoal({ contender, of = 'rate', atLeast, atMost, to = 'the baseline' }: Reached): string {
  return `${contender}, ${NAMES[of]} ${atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`} × ${to}`;
}

function describeReached({ ratio, met }: Reached): string {
  return ratio === undefined ? 'not measured' : `${ratio.toFixed(2)}, ${met ? 'reached' : 'MISSED'}`;
}

/** Formats a number with three digits: measurements are not more precise than that. */
export function number(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}
