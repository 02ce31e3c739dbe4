// Compares what was measured with the goals of a scenario.
import { median } from 'simple-statistics';
import type { Outcome } from './run.js';
import type { Goal, Measurement } from './scenario.js';

/** What a goal has come to. */
export interface Reached extends Goal {
  /** The median over the rounds; `undefined` if one of the two was not measured. */
  readonly ratio: number | undefined;
  readonly met: boolean | undefined;
}

export function compare(goals: readonly Goal[], outcomes: readonly Outcome[]): readonly Reached[] {
  const baseline = outcomes[0]?.contender ?? '';
  const find = (name: string) => outcomes.find(({ contender }) => contender === name)?.measurements ?? [];
  return goals.map((goal) => {
    const { contender, of = 'rate', to = baseline, atLeast, atMost } = goal;
    const ratio = ratioOf(find(contender), find(to), of);
    const met = ratio === undefined ? undefined : ratio >= (atLeast ?? 0) && ratio <= (atMost ?? Infinity);
    return { ...goal, ratio, met };
  });
}

/**
 * The median of the ratios of each round. The two ran shortly one after the other, so a machine that is busy for a while
 * spoils only a few ratios.
 */
export function ratioOf(
  these: readonly Measurement[],
  those: readonly Measurement[],
  of: NonNullable<Goal['of']>,
): number | undefined {
  const value = (measurement: Measurement | undefined) => {
    if (of === 'rate') return measurement && 1 / measurement.seconds;
    return measurement?.[of];
  };
  const ratios = these.map((each, round) => (value(each) ?? Number.NaN) / (value(those[round]) ?? Number.NaN));
  return ratios.length === 0 || ratios.some(Number.isNaN) ? undefined : median(ratios);
}
