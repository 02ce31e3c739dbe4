// Formats the measurements of a scenario as a table of medians over the rounds. A ratio compares a contender with the
// baseline of the same round, which ran shortly before. So a machine that is busy for a while spoils only a few ratios.
import Table from 'cli-table3';
import type { Measurement } from './measure.js';
import { amountOf, type Outcome } from './run.js';
import type { Scenario } from './scenario.js';

/** No lines around the table. */
export const NO_FRAME = Object.fromEntries(
  ['top', 'bottom', 'left', 'right']
    .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .map((part) => [part, '']),
);

export function report(scenario: Scenario, outcomes: readonly Outcome[], scale: number): string {
  const { rate, cost, aims } = scenario;
  const amount = amountOf(scenario, scale);
  const rateOf = ({ seconds }: Measurement) => amount / seconds / rate.amount;
  const table = new Table({
    head: [scenario.name, rate.label, 'range', 'ratio', 'aim', cost.label, 'max RSS'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
    chars: NO_FRAME,
  });
  const baseline = outcomes[0]?.measurements.map(rateOf) ?? [];
  for (const { contender, measurements } of outcomes) {
    const rates = measurements.map(rateOf);
    table.push([
      contender,
      number(median(rates)),
      `${number(Math.min(...rates))}–${number(Math.max(...rates))}`,
      median(rates.map((value, round) => value / (baseline[round] ?? Number.NaN))).toFixed(2),
      aims[contender]?.toFixed(2) ?? '',
      ((median(measurements.map(({ cpu }) => cpu)) / amount) * cost.amount).toFixed(2),
      `${Math.round(median(measurements.map(({ rss }) => rss)) / 1e6)} MB`,
    ]);
  }
  return table.toString();
}

/** Formats a number with three digits: measurements are not more precise than that. */
export function number(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
